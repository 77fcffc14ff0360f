#define ADIABAT_VECTOR_BYTES 16
#define ADIABAT_NAME baseline
#include "ace/unit.hpp"
