/* One of the 19 things that the suite measures. */
#ifndef HOTDESK_CUDA_QUANTITY_H
#define HOTDESK_CUDA_QUANTITY_H

struct bench;

struct quantity {
    const char *name;  /* as --only takes it and --list prints it: hbm, copies, ... */
    const char *about; /* what it measures, in one line */
    double share;      /* of the budget; they need not add up to 1 */
    void (*run)(struct bench *);
};

#endif
