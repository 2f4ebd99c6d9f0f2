// The wheel's ProcessGroupGloo.hpp includes Gloo's headers, which the wheel does not bring. This
// folder declares what that header needs of them by name, and nothing more: Gloo itself is compiled
// into libtorch_cpu, and no object of its classes is made or taken apart here. This one is empty.
#pragma once
