"""``python -m bench``: measures, shows and writes down."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench.cases import CASES
from bench.report import Report, console, document, show


def main() -> None:
    """Run the cases that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure speed, beside targets.")
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; all if none is named"
    )
    parser.add_argument("--list", action="store_true", help="say what the cases are")
    parser.add_argument(
        "--repeats", type=int, default=3, help="runs per client and case, of which the median counts"
    )
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), help="where the JSON goes")
    args = parser.parse_args()
    if args.list:
        for name, case in CASES.items():
            console.print(f"{name:<10} {case.about}")
        return
    if unknown := set(args.cases) - CASES.keys():
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    reports: dict[str, Report] = {}
    for name in args.cases or CASES:
        reports[name] = CASES[name](args.repeats, console.print)
        show(reports[name])
        args.out.parent.mkdir(parents=True, exist_ok=True)
        written = json.dumps(document(reports, repeats=args.repeats), ensure_ascii=False, indent=2)
        args.out.write_text(written + "\n", encoding="utf-8")
    missed = sum(not figure.is_met for report in reports.values() for figure in report.figures)
    console.print(f"\nwritten to {args.out}; targets missed: {missed}")


if __name__ == "__main__":
    main()
