#include "settlement/document.hpp"
