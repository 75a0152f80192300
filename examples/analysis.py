"""A host that has a language model's snippet look at a table, and takes the result: `python analysis.py RESULT.csv`."""

import sys
from pathlib import Path

import branes
from branes.errors import BranesError

# What a model would write. It knows of /data and that it can write where it is.
SNIPPET = """
import csv
from collections import defaultdict
from decimal import Decimal

revenue = defaultdict(Decimal)
with open("/data/sales.csv", newline="") as table:
    for row in csv.DictReader(table):
        revenue[row["region"]] += int(row["units"]) * Decimal(row["price"])

total = sum(revenue.values())
with open("regions.csv", "w", newline="") as result:
    writer = csv.writer(result)
    writer.writerow(["region", "revenue", "share"])
    for region, amount in sorted(revenue.items(), key=lambda item: -item[1]):
        writer.writerow([region, amount, f"{amount / total:.1%}"])
"""


def main() -> int:
    table = Path(__file__).with_name("sales.csv")
    try:
        with branes.python(files={"sales.csv": table}, timeout="10s", memory="256MiB") as py:
            done = py.run(SNIPPET)
            print("exit code", done.exit_code)
            sys.stderr.write(done.stderr.decode(errors="replace"))
            py.save("/scratch/regions.csv", sys.argv[1])
            print("largest region:", py.eval("max(revenue, key=revenue.get)"))
    except BranesError as error:
        print(f"{error}\n  hint: {error.hint}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
