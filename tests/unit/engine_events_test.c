/* The engine's event list. */
#include "engine/events.h"

#include "unit/events_order.h"
