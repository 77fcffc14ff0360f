#pragma once
#include <nanobind/nanobind.h>

// Adds the edge list, the plan and the evaluator of the cluster expansion.
void bind_ace(nanobind::module_ &module);
