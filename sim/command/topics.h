/* Help texts by topic, each a screen. */
#ifndef HD_COMMAND_TOPICS_H
#define HD_COMMAND_TOPICS_H

struct hd_topic {
    const char *name, *about, *text;
};
extern const struct hd_topic hd_topics[];
extern const int hd_topics_count;

/* Those that are long. */
extern const char hd_topic_recipes[], hd_topic_traces[], hd_topic_nodes[];

/* Scenario files to start from: `hotdesk help scenario NAME`. */
extern const struct hd_topic hd_example_scenarios[];
extern const int hd_example_scenarios_count;

#endif
