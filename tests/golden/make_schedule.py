#!/usr/bin/env python3
"""Makes schedules.json: learning rates as PyTorch, transformers and fairseq themselves give them.

    .venv/bin/pip download fairseq==0.12.2 --no-deps --only-binary :all: \\
        --python-version 38 --platform manylinux1_x86_64 --dest /tmp
    .venv/bin/python tests/golden/make_schedule.py /tmp/fairseq-0.12.2-*.whl

Of fairseq, which is not installed, only the files of its schedulers are run.
"""

import argparse
import dataclasses
import functools
import json
import pathlib
import sys
import types
import zipfile

import torch
import transformers
from torch.optim import lr_scheduler


class FairseqSchedulers:
    """The scheduler classes in a wheel of fairseq, with what they import replaced by as little as
    they use: an optimizer that keeps a rate."""

    def __init__(self, wheel):
        self.wheel = zipfile.ZipFile(wheel)

    class Optimizer:
        rate = None

        def set_lr(self, rate):
            self.rate = rate

        def get_lr(self):
            return self.rate

    class Scheduler:
        def __init__(self, cfg, optimizer):
            self.cfg = cfg
            self.optimizer = optimizer

    def load(self, file):
        found = []
        parts = {
            "omegaconf": {"II": lambda name: None},
            "fairseq": {},
            "fairseq.dataclass": {"FairseqDataclass": object},
            "fairseq.optim": {},
            "fairseq.optim.lr_scheduler": {
                "FairseqLRScheduler": self.Scheduler,
                "register_lr_scheduler": lambda name, dataclass: lambda cls: (
                    found.append((cls, dataclass)) or cls
                ),
            },
        }
        for name, content in parts.items():
            sys.modules[name] = types.ModuleType(name)
            vars(sys.modules[name]).update(content)
        module = types.ModuleType(file)
        sys.modules[file] = module  # where dataclasses look for the annotations' names
        source = self.wheel.read(f"fairseq/optim/lr_scheduler/{file}.py")
        exec(compile(source, file, "exec"), vars(module))
        return found[0]

    def rates(self, file, count, lr, **options):
        scheduler_class, config_class = self.load(file)
        config = config_class(**options)
        config.lr = [lr]
        assert dataclasses.is_dataclass(config)
        scheduler = scheduler_class(config, self.Optimizer())
        # As its trainer does: step_update(n) before the update that follows n others.
        return [scheduler.step_update(step) for step in range(count)]


def torch_rates(lr, count, make):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = make(optimizer)
    result = []
    for _ in range(count):
        result.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return result


def case(source, options, steps, rates):
    """`options` are ScheduleOptions by name; `steps` the run's."""
    return dict(source=source, options=options, steps=steps, rates=rates)


def of_torch():
    for peak, lowest, t_max, count in [
        (5e-5, 0.0, 2, 2),
        (2e-3, 4e-5, 10, 10),
        (1e-3, 1e-4, 7, 20),  # beyond T_max, where the cosine climbs again
    ]:
        cosine = functools.partial(lr_scheduler.CosineAnnealingLR, T_max=t_max, eta_min=lowest)
        rates = torch_rates(peak, count, cosine)
        options = dict(kind="cosine", lr=peak, lr_min=lowest, t_max=t_max)
        yield case("torch CosineAnnealingLR", options, 1000, rates)
    rates = torch_rates(3e-3, 12, lambda o: lr_scheduler.PolynomialLR(o, total_iters=9, power=2))
    options = dict(kind="polynomial", lr=3e-3, t_max=9, power=2)
    yield case("torch PolynomialLR", options, 1000, rates)
    rates = torch_rates(
        3e-3, 12, lambda o: lr_scheduler.LinearLR(o, start_factor=1, end_factor=0, total_iters=9)
    )
    yield case("torch LinearLR", dict(kind="linear", lr=3e-3, t_max=9), 1000, rates)

    def warmed_up(optimizer):
        climbing = lr_scheduler.LinearLR(optimizer, start_factor=1 / 5, total_iters=4)
        falling = lr_scheduler.CosineAnnealingLR(optimizer, T_max=15)
        return lr_scheduler.SequentialLR(optimizer, [climbing, falling], milestones=[5])

    options = dict(kind="cosine", lr=1e-3, warmup_steps=5)
    yield case("torch LinearLR, then CosineAnnealingLR", options, 20, torch_rates(1e-3, 20, warmed_up))


def of_transformers():
    def rates(name, lr, count, **options):
        return torch_rates(
            lr, count, lambda o: transformers.get_scheduler(name, o, **options)
        )

    warm = dict(warmup_steps=6, warmup_start=0)
    given = dict(num_warmup_steps=6, num_training_steps=30)
    for name, kind in [
        ("constant_with_warmup", "constant"),
        ("linear", "linear"),
        ("cosine", "cosine"),
        ("inverse_sqrt", "inverse_sqrt"),
    ]:
        options = dict(kind=kind, lr=3e-4, **warm)
        yield case(f"transformers {name}", options, 30, rates(name, 3e-4, 30, **given))
    options = dict(kind="linear", lr=3e-4, warmup_steps=500, warmup_start=0)
    found = rates("linear", 3e-4, 900, num_warmup_steps=500, num_training_steps=900)
    yield case("transformers linear", options, 900, found)
    special = dict(lr_end=2e-5, power=1.7)
    options = dict(kind="polynomial", lr=3e-4, lr_min=2e-5, power=1.7, t_max=24, **warm)
    found = rates("polynomial", 3e-4, 40, scheduler_specific_kwargs=special, **given)
    yield case("transformers polynomial", options, 40, found)


def of_fairseq(wheel):
    fairseq = FairseqSchedulers(wheel)
    ratios = (0.1, 0.4, 0.5)
    shares = dict(kind="tri_stage", warmup_share=0.1, hold_for=0.4, decay_for=0.5)
    for lr, steps in [(5e-5, 40), (3e-5, 57)]:  # 57: no stage is a whole number of steps
        found = fairseq.rates(
            "tri_stage_lr_scheduler", steps, lr, phase_ratio=ratios, final_lr_scale=0.05,
            max_update=steps,
        )
        options = dict(shares, lr=lr, warmup_start=0.01, final_lr_scale=0.05)
        yield case("fairseq tri_stage", options, steps, found)
    found = fairseq.rates(
        "tri_stage_lr_scheduler", 30, 1e-3, warmup_steps=5, hold_steps=7, decay_steps=11,
        init_lr_scale=0.1, final_lr_scale=0.2,
    )
    options = dict(kind="tri_stage", lr=1e-3, warmup_steps=5, hold_for=7, decay_for=11)
    options |= dict(warmup_start=0.1, final_lr_scale=0.2)
    yield case("fairseq tri_stage", options, 30, found)
    for start in (-1, 1e-4):
        found = fairseq.rates(
            "inverse_square_root_schedule", 40, 1e-3, warmup_updates=9, warmup_init_lr=start
        )
        options = dict(kind="inverse_sqrt", lr=1e-3, warmup_steps=9, warmup_start=max(start, 0) / 1e-3)
        yield case("fairseq inverse_sqrt", options, 40, found)
    for warmup in (0, 8):
        found = fairseq.rates(
            "polynomial_decay_schedule", 45, 1e-3, warmup_updates=warmup, end_learning_rate=1e-5,
            power=2.5, total_num_update=40,
        )
        options = dict(kind="polynomial", lr=1e-3, lr_min=1e-5, power=2.5, t_max=40 - warmup)
        options |= dict(warmup_steps=warmup, warmup_start=0)
        yield case("fairseq polynomial_decay", options, 45, found)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fairseq", help="a wheel of fairseq")
    wheel = parser.parse_args().fairseq
    cases = [*of_torch(), *of_transformers(), *of_fairseq(wheel)]
    path = pathlib.Path(__file__).with_name("schedules.json")
    path.write_text(",\n".join(json.dumps(c) for c in cases).join(["[\n", "\n]\n"]))


if __name__ == "__main__":
    main()
