"""The kind of snippet that a language model writes: read a CSV from standard input, say something about it."""

import csv
import sys
from collections import defaultdict
from decimal import Decimal

revenue = defaultdict(Decimal)
for row in csv.DictReader(sys.stdin):
    revenue[row["region"]] += int(row["units"]) * Decimal(row["price"])

for region, total in sorted(revenue.items(), key=lambda item: -item[1]):
    print(f"{region:6} {total:8.2f}")
print(f"total  {sum(revenue.values()):8.2f}")
