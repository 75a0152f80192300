"""An agent's loop: a model writes code, a brane runs it, the code calls tools, and what came of it goes back.

The model is a script here, so that the example runs anywhere: put your own in its place. What it writes is not
trusted. It reaches the outside by the two tools alone; a third, which it tries, is refused and recorded.
"""

import json

import branes
from branes.errors import BranesError

ORDERS = {"17": {"item": "anvil", "units": 3}, "18": {"item": "rope", "units": 40}}
STOCK = {"anvil": 5, "rope": 12}
mailed = []


def order(number):
    """One order; KeyError for a number that there is not."""
    return ORDERS[number]


def mail(to, text):
    """Send a mail: an effect, so it is checked here, where the guest has no say."""
    if to != "sales@example.com":
        raise PermissionError("mail goes to sales only")
    mailed.append(text)
    return True


REPLIES = [
    "import tools\nfor number in ('17', '18', '19'):\n    print(number, tools.orders.get(number))",
    "found = {}\nfor number in ('17', '18'):\n    found[number] = tools.orders.get(number)\nprint(found)",
    "tools.call('orders.delete', '17')",
    "tools.mail('boss@example.com', 'all is well')",
    "tools.mail('sales@example.com', f'{len(found)} orders checked')\nresult = sorted(found)",
]


def model(history):
    """What a language model would say next; None when it is done."""
    return REPLIES[len(history)] if len(history) < len(REPLIES) else None


def agent(tools, turns=10):
    """Let the model work; what it came to, and what it said and saw on the way."""
    history = []
    with branes.python(tools=tools, timeout="5s", memory="256MiB") as py:
        for _ in range(turns):
            code = model(history)
            if code is None:
                return py.eval("result"), history
            done = py.run(code)
            errors = done.stderr.decode().splitlines()
            refused = [denial.tried for denial in done.denials]
            history.append({"said": done.stdout.decode(), "error": errors[-1] if errors else "", "refused": refused})
    return None, history


if __name__ == "__main__":
    try:
        answer, turns = agent({"orders.get": order, "stock": STOCK.get, "mail": mail})
    except BranesError as error:
        raise SystemExit(f"{error} {error.hint}") from error
    for turn in turns:
        print(json.dumps(turn))
    print("answer:", answer)
    print("mailed:", mailed)
