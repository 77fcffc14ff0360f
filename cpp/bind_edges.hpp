#pragma once
#include <nanobind/nanobind.h>

// Adds the edge list and the search for neighbours.
void bind_edges(nanobind::module_ &module);
