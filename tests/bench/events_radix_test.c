/* The radix heap that is measured in place of the engine's event list. */
#include "bench/events_radix.h"

#include "unit/events_order.h"
