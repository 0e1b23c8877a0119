/* The calendar queue that is measured in place of the engine's event list. */
#include "bench/events_calendar.h"

#include "unit/events_order.h"
