/// A tensor as a value: all that most units of this library need of LibTorch, beside the operators
/// that each includes for itself (<ATen/ops/NAME.h>). Precompiled.
#pragma once
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
