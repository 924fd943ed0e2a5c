/* Drives the connections of a plan from one thread until the work or the time is at its end. */
#ifndef ENGINE_H
#define ENGINE_H

#include "plan.h"
#include "stats.h"

/* Fills `stats`; the measured window and the unfinished connections go to `report`. */
void drive(struct plan *plan, struct stats *stats, struct report *report);

#endif
