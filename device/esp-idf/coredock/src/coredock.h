/* Arduino looks for headers in src. */
#include "../include/coredock.h"
