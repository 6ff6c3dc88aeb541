"""The whole login on real parts: a page whose user is logged in to a web application, Converse.js in that page, Prosody
with mod_auth_xmpp_authd, the token, xmpp-authd."""

import http.client
import re
import time
import urllib.parse

import pytest

from site_servers import wait_until

TOKEN = re.compile(r"\d{40} [A-Za-z0-9+/]{43}=")


def end_session(person):
    """As logging out in another tab does."""
    address = urllib.parse.urlsplit(person.site.address)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    connection.request("POST", "/logout", headers={"Origin": person.site.address, "Cookie": person.cookie()})
    assert connection.getresponse().status == 303
    connection.close()


def everything_stored(person):
    return person.evaluate("JSON.stringify([Object.entries(sessionStorage), Object.entries(localStorage)])")


def test_whoever_logs_in_to_the_site_is_online(site, alice):
    mark = site.mark()
    alice.logs_in()
    alice.comes_online()
    assert site.verdicts("alice", mark) == ["allowed"]
    assert alice.asked_for_credentials() == 1


def test_a_wrong_password_leads_to_no_chat(site, alice):
    mark = site.mark()
    alice.logs_in("not hers")
    alice.waits_for('[role=alert]:text("don\'t fit")')
    assert alice.asked_for_credentials() == 0
    assert site.verdicts("alice", mark) == []


def test_two_users_exchange_a_message(site, alice, bob, packages):
    alice.logs_in()
    bob.logs_in()
    alice.comes_online()
    bob.comes_online()
    alice.opens_chat_with("bob")
    alice.says("Are you there?")
    bob.reads("Are you there?")
    bob.says("I am.")
    alice.reads("I am.")
    bob.keeps_a_picture(packages / "chat.png")


def test_a_cut_connection_logs_in_again_with_a_fresh_token(site, alice, bob):
    alice.logs_in()
    bob.logs_in()
    alice.comes_online()
    bob.comes_online()
    mark = site.mark()
    for time_of_cut in (1, 2):
        site.proxy.cut()
        for person in (alice, bob):
            wait_until(lambda: len(site.verdicts(person.name, mark)) == time_of_cut, "a login after the cut")
            person.comes_online()
    assert site.verdicts("alice", mark) == site.verdicts("bob", mark) == ["allowed", "allowed"]
    assert alice.asked_for_credentials() == bob.asked_for_credentials() == 3
    alice.opens_chat_with("bob")
    alice.says("Back again.")
    bob.reads("Back again.")


def test_an_outage_is_shown_and_ends_by_itself(site, alice):
    alice.logs_in()
    alice.comes_online()
    mark = site.mark()
    site.proxy.go_down()
    alice.is_told("no connection to the chat: trying again")
    site.proxy.come_up()
    alice.comes_online()
    assert set(site.verdicts("alice", mark)) == {"allowed"}


def test_a_session_that_has_ended_is_a_clear_state_and_no_endless_spinner(site, alice, packages):
    alice.logs_in()
    alice.comes_online()
    mark = site.mark()
    end_session(alice)
    site.proxy.cut()
    alice.waits_for('dialog:visible:has-text("Your session has ended.")')
    alice.keeps_a_picture(packages / "session-ended.png")
    asked = alice.asked_for_credentials()
    assert asked == 2
    time.sleep(5)  # Converse.js alone would have asked twice more
    assert alice.asked_for_credentials() == asked, "the page goes on asking"
    assert site.verdicts("alice", mark) == []
    alice.do("click", "dialog a")
    alice.logs_in()
    alice.comes_online()


def test_the_chat_ends_with_the_session(site, alice):
    """Without a cut, too: the page looks after its session when it is looked at again, and every half minute."""
    alice.logs_in()
    alice.comes_online()
    assert site.proxy.connections == 1
    end_session(alice)
    alice.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    alice.waits_for('dialog:visible:has-text("Your session has ended.")')
    wait_until(lambda: site.proxy.connections == 0, "the connection is closed")


@pytest.mark.parametrize("way", ["log out", "session ended, online", "session ended, cut"])
def test_no_message_stays_in_the_browser(site, alice, way):
    alice.logs_in()
    alice.comes_online()
    alice.opens_chat_with("bob")
    alice.says("Between you and me.")
    alice.reads("Between you and me.")
    wait_until(lambda: "Between you and me." in everything_stored(alice), "the message is stored")
    if way == "log out":
        alice.do("click", "#logout button")
        alice.waits_for("#login")
    else:
        end_session(alice)
        if way == "session ended, cut":
            site.proxy.cut()
        else:
            alice.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        alice.waits_for("dialog:visible")
    wait_until(lambda: "Between you and me." not in everything_stored(alice), "the message is gone")


def test_no_token_is_kept_in_the_browser(site, alice):
    alice.logs_in()
    alice.comes_online()
    assert not TOKEN.search(everything_stored(alice))
    assert alice.evaluate("indexedDB.databases()") == []
    assert alice.evaluate("document.cookie") == "", "a script can read the session's cookie"
