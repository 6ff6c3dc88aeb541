import sys, os, subprocess, time
from conftest import *
import test_running as t
import pytest
@pytest.fixture
def site(configuration, faults, start):
    return t.Site(t.all_doors(configuration), faults, start).start()
def test_x(site):
    i=t.Inquest(site,"x")
    sc=[s for s in t.SCENARIOS if s.name==os.environ.get("SC","readiness")][0]
    usual,counts=i.learn(sc)
    site.login(); i.settle(); i.open_files=site.descriptors()
    p=subprocess.Popen(["strace","-f","-ttt","-o","/tmp/team/tmp-faults/strace.out","-p",str(site.daemon.process.pid)])
    time.sleep(1)
    for n in range(1,counts["epoll_ctl"]+1):
        open("/tmp/team/tmp-faults/strace.out","a").write(f"===== {n}\n")
        b=time.time()
        i.inject(sc,usual,"epoll_ctl","ENOMEM",n)
        open("/tmp/team/tmp-faults/strace.out","a").write(f"===== end {n} took {time.time()-b}\n")
    p.terminate()
    print(i.wrong)
