/* The commands: each gets its own words (argv[0] is its name) and returns the exit
 * code: 0 answered, 1 bad input or a failed run, 2 usage, 3 answered and the answer
 * is no, 130 and 143 interrupted. */
#ifndef HD_COMMAND_COMMAND_H
#define HD_COMMAND_COMMAND_H

int hd_command_replay(int argc, char **argv);
int hd_command_compare(int argc, char **argv);
int hd_command_trace(int argc, char **argv);
int hd_command_policy(int argc, char **argv);
int hd_command_catalog(int argc, char **argv);
int hd_command_calibrate(int argc, char **argv);
int hd_command_timing(int argc, char **argv);
int hd_command_ladder(int argc, char **argv);
int hd_command_help(int argc, char **argv);

struct hd_command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *does; /* a line */
};
extern const struct hd_command hd_commands[];
extern const int hd_commands_count;

#endif
