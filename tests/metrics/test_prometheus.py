"""The shipped alert rules and dashboard, against promtool and a real Prometheus that scrapes a real daemon."""

import json
import re
import subprocess
import time

import pytest

from harness import DEADLINE, confidential
from prometheus import ROOT, RULES, RULES_TEST, documented_configuration

DASHBOARD = json.loads((ROOT / "conf" / "grafana" / "xmpp-authd.json").read_text())
ALERTS = re.findall(r"- alert: (\w+)", RULES.read_text())


def promtool(*arguments, cwd=RULES.parent):
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=DEADLINE, check=False, cwd=cwd)


# --- rules


def test_promtool_takes_the_rules():
    done = promtool("check", "rules", RULES)
    assert done.returncode == 0 and f"SUCCESS: {len(ALERTS)} rules found" in done.stdout, done.stdout + done.stderr


def test_promtool_takes_the_documented_configuration(tmp_path):
    path = tmp_path / "prometheus.yml"
    path.write_text(documented_configuration().replace("/etc/prometheus/xmpp-authd.rules.yml", str(RULES)))
    done = promtool("check", "config", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_fire_when_they_should_and_not_before():
    done = promtool("test", "rules", RULES_TEST)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_test_has_every_alert_and_notices_the_loss_of_one(tmp_path):
    text = RULES_TEST.read_text()
    assert [alert for alert in ALERTS if alert not in text] == []
    (tmp_path / RULES.name).write_text(RULES.read_text().replace("xmpp_authd_connections_max > 0.9", "xmpp_authd_connections_max > 1.9"))
    (tmp_path / RULES_TEST.name).write_text(text)
    done = promtool("test", "rules", RULES_TEST.name, cwd=tmp_path)
    assert done.returncode != 0 and "XmppAuthdNearlyFull" in done.stdout + done.stderr


def exported():
    return set(re.findall(r'^    \{"(\w+)", "', (ROOT / "src" / "daemon" / "metrics.c").read_text(), flags=re.MULTILINE))


def test_the_rules_ask_for_metrics_that_there_are():
    expressions = " ".join(re.findall(r"expr: (.*(?:\n {10}.*)*)", RULES.read_text()))
    asked = {re.sub("_bucket$", "", name) for name in re.findall(r"\b(?:xmpp_authd|process)_\w+", expressions)}
    assert len(asked) >= 14
    assert asked <= exported()


def test_prometheus_evaluates_every_rule(prometheus):
    deadline = time.monotonic() + DEADLINE
    while True:
        rules = [rule for group in prometheus.api("rules")["groups"] for rule in group["rules"]]
        if all(rule["health"] == "ok" for rule in rules) or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert [rule["name"] for rule in rules] == ALERTS
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}


# --- what is scraped


def test_prometheus_scrapes_the_daemon_and_every_metric_arrives(prometheus):
    assert prometheus.single('up{job="xmpp-authd"}') == 1
    names = set(prometheus.api("label/__name__/values"))
    missing = {name for name in exported() if name not in names and f"{name}_count" not in names}
    assert missing == set()


def test_prometheus_counts_what_the_daemon_counts(prometheus, daemon):
    reasons = dict(daemon.status()["verdicts"])
    deadline = time.monotonic() + DEADLINE
    while True:
        scraped = {(labels["question"], labels["reason"]): count
                   for labels, count in prometheus.query("sum by (question, reason) (xmpp_authd_verdicts_total) > 0")}
        if scraped == reasons or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert scraped == reasons
    assert {reason for _, reason in reasons} >= {"allowed", "replayed", "forged", "malformed", "unknown-host", "unknown-user"}


def test_no_label_names_a_user_a_made_up_domain_or_a_secret(prometheus):
    values = {}
    for label in prometheus.api("labels"):
        values[label] = prometheus.api(f"label/{label}/values")
    written = json.dumps(values)
    assert values["host"] == ["chat.example", "example.org"]
    assert "alice" not in written and "nobody" not in written and "unknown.example" not in written
    assert not confidential.traces(written.encode())


# --- the dashboard


def queries():
    """(panel, expression) of every query, annotations included."""
    found = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return found + [(entry["name"], entry["expr"]) for entry in DASHBOARD["annotations"]["list"]]


def filled_in(expression):
    """As Grafana asks it, with everything selected."""
    for name, value in (("$__rate_interval", "30s"), ("$instance", ".*"), ("$host", ".*")):
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


def test_the_dashboard_is_whole():
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) >= 15
    places = [panel["gridPos"] for panel in panels]
    taken = [(x, y) for place in places for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])]
    assert len(set(taken)) == len(taken) and max(x for x, _ in taken) < 24
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == ["datasource", "instance", "host"]
    used = json.dumps([panel["targets"] for panel in panels])
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels) and used.count("$instance") >= 20


def test_every_metric_is_on_the_dashboard():
    text = " ".join(expression for _, expression in queries())
    assert [name for name in exported() if name not in text] == []


# A daemon that was started once is an event that is over, and has nothing to show.
@pytest.mark.parametrize("panel, expression", [query for query in queries() if query[0] != "Starts"])
def test_every_query_has_data(prometheus, panel, expression):
    samples = prometheus.query(filled_in(expression))
    assert samples, f"{panel}: {expression} is empty"
    assert all(number == number for _, number in samples), f"{panel}: not a number"


@pytest.mark.parametrize("variable", DASHBOARD["templating"]["list"][1:], ids=lambda variable: variable["name"])
def test_every_variable_has_values(prometheus, variable):
    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"]).groups()
    assert prometheus.api(f"label/{label}/values", **{"match[]": metric})


def test_the_annotation_query_is_taken(prometheus):
    prometheus.query(filled_in(dict(queries())["Starts"]))
