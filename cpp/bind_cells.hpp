#pragma once
#include <nanobind/nanobind.h>

// Adds what barostats do to cells.
void bind_cells(nanobind::module_ &module);
