// Empty: see gloo/algorithm.h.
#pragma once
