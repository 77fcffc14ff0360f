#pragma once
#include <nanobind/nanobind.h>

// Adds what integrators do to atoms, and random numbers.
void bind_motion(nanobind::module_ &module);
