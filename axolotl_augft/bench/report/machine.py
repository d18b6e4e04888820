"""This machine -> one line about it, beside every result."""

import os
import platform
from pathlib import Path


def machine_line() -> str:
    """Describe the processor, its cores, and the GPU if there is one."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    line = f"{_processor()}, {cores} cores"
    return f"{torch.cuda.get_device_name(0)}; {line}" if torch.cuda.is_available() else line


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
