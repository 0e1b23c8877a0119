/* The table of commands: main and help read it. */
#include "command/command.h"

const struct hd_command hd_commands[] = {
    {"replay", hd_command_replay, "one trace, fleet and policy: what came of it"},
    {"compare", hd_command_compare, "the fewest GPUs that each policy needs"},
    {"trace", hd_command_trace, "info: what a trace is like; synth: draw a market"},
    {"policy", hd_command_policy, "list, show, check and start policies"},
    {"catalog", hd_command_catalog, "the GPUs, models and engines that are known"},
    {"calibrate", hd_command_calibrate,
     "import and show kernel timings, fit the timing model"},
    {"timing", hd_command_timing, "one iteration: its kernels, and how sure that is"},
    {"ladder", hd_command_ladder,
     "a switch of models: its stages, one mechanism after the other"},
    {"help", hd_command_help, "a command, or a topic: `hotdesk help` lists them"},
};
const int hd_commands_count = sizeof hd_commands / sizeof *hd_commands;
