/* SPDX-License-Identifier: GPL-2.0 */
/* How a node is, as its mlbd tells the others each second, and at each change. */
#ifndef MLBD_REPORT_H
#define MLBD_REPORT_H

#include "document.h"

/* Most nodes that can be in use. */
#define REPORT_USES_MAX 256
/* Most services that can be told to be down: it travels in a small message. */
#define REPORT_DOWN_MAX 1024

/**
 * struct report_drain - how far the drain of a node is
 * @there: it drains; without that nothing else is set
 * @ends: it goes to maintenance when it is empty, and after @left
 * @seconds: since it began
 * @connections: that it still has, or -1: not known
 * @left: seconds until it ends all the same, or -1
 */
struct report_drain {
	bool there;
	bool ends;
	int64_t seconds;
	int64_t connections;
	int64_t left;
};

/* A new object, or NULL without a drain; see README.md. */
json_t *report_drain_json(const struct report_drain *drain);

/**
 * struct report - a node, as it tells it
 * @ring: membership in which its kernel was last brought to a document, whose
 * @applied: stamp that was
 * @able: it has been quorate for long enough to decide for others
 * @load: average of a minute, in hundredths
 * @connections: MPTCP connections that it owns
 * @uses: nodes that its kernel does not treat as dead
 * @down: services that do not work there, by report_free() freed
 */
struct report {
	uint64_t ring;
	struct document_stamp applied;
	bool able;
	uint64_t load;
	uint64_t connections;
	uint16_t uses[REPORT_USES_MAX];
	size_t n_uses;
	struct mlb_endpoint *down;
	size_t n_down;
	struct report_drain drain;
};

json_t *report_json(const struct report *report);

/*
 * Keys that are not known are of a newer version and are passed over.
 * Return: false for what is not a report, and @report untouched.
 */
bool report_parse(const json_t *json, struct report *report);
void report_free(struct report *report);

#endif /* MLBD_REPORT_H */
