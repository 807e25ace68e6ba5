import sys,time
from lambda_latency.latency import AnalysisOptions
from lambda_latency.live import RunningPage
from tests.live.states import STATES
from tests.live.shop import line, request_spans
from tests.page.browser import chromium
state=sys.argv[1]; width=int(sys.argv[2]) if len(sys.argv)>2 else 1280
for b in chromium(offline=False):
    p=RunningPage(AnalysisOptions)
    STATES[state](p)
    b.size(width, dark=False)
    b.show(p.address)
    time.sleep(float(sys.argv[3]) if len(sys.argv)>3 else 3)
    print(b.driver.get_log("browser") if hasattr(b,"driver") else dir(b))
    print(b.run("return document.body.innerText")[:3000])
    d=getattr(b,"driver",None) or b._driver
    d.save_screenshot(f"/tmp/w/live-{state}-{width}.png")
    p.close()
