#define ADIABAT_VECTOR_BYTES 32
#define ADIABAT_NAME avx2
#include "ace/unit.hpp"
