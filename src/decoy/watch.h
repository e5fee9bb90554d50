/* libevent's core under names that do not collide: what it calls struct event is a struct watch
 * here, since an event is something else in this program. */
#ifndef DECOY_WATCH_H
#define DECOY_WATCH_H

#define event watch
#include <event2/event.h>
#undef event

#endif
