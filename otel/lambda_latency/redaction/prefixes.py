"""The beginnings of vendors' tokens, by the least number of characters after them. Made by `lab prefixes`.

Sources: the rules of gitleaks (b58d3f10) and of TruffleHog (3ab759fe).
"""

from __future__ import annotations

PREFIXES = {
    7: "ATATT ATCTT3xFfG rk_live_ rk_prod_ rk_test_ sk_live_ sk_prod_ sk_test_ ya29.",
    9: "FLWSECK_TEST-",
    10: "rzp_live_",
    12: "ABIA ACCA AKIA ASIA LTAI sm_aat_ sm_pat_ sm_sat_ thog-key-",
    14: "NRBR- sq0atp-",
    15: "GR1348941 flb_live_ gldt- glffct- glft- glpat- glrt- glsoat- xoxa- xoxb- xoxp- xoxr-",
    16: "EAAA glcbt- hvs.",
    18: "NRII- NRIQ- glimt-",
    20: "A3- BBDC- BBFF- CCIPAT_ CFPAT- CLOJARS_ FLWSECK- NF- NRAK- PMAK- SG. VF. aio_ ak_live_ api_org_ apify_api_ "
        "authress_ bb_ma_ bb_pr_ bkua_ cfat_ cfk_ cfut_ dckr_oat_ dckr_pat_ ddp_ ddw_ doo_v1_ dop_v1_ dor_v1_ "
        "dp.audit. dp.ct. dp.pt. dp.sa. dp.scim. dt0c01. duffel_live_ duffel_test_ figp_ fio-u- fm1a_ fm1r_ fm2_ "
        "fo1_ gho_ ghp_ ghr_ ghs_ ghu_ github_pat_ glagent- glc_ gloas- glptt- glsa_ gsk_ hf_ hvb. ico- key- "
        "lin_api_ lsv2_pt_ lsv2_sk_ npm_ ntn_ nvapi- p8e- pat-eu1- pat-na1- pat. pcsk_ phx_ pnu_ pplx- "
        "pscale_oauth_ pscale_pw_ pscale_tkn_ pul- r8_ ramp_id_ ramp_sec_ rdme_ rh-api- rootly_ rubygems_ s-s4t2af- "
        "s-s4t2ud- sat. sbp_ scauth_ sdk- secret_ sgp_ sha256~ shippo_live_ shippo_test_ shltm_ shpat_ shpca_ "
        "shppa_ shpss_ sk- sk. sk_ slk_ sntryu_ sqco_ tfp_ thog-secret- tk-us- u-s4t2af- u-s4t2ud- v1.0- xai- "
        "xkeysib- xoxe-",
    24: "AIzaSy dapi",
    25: "eu01xx",
    26: "AIza",
    28: "4b1d ewogIC",
    29: "ewoid",
    30: "3MVG9 5AEP861 ABSK AGE-SECRET-KEY-1 AKCp EAAC EAAM EZAK EZTK HRKU-AA cmVmd dp.st ops_eyJ "
        "pypi-AgEIcHlwaS5vcmc sntrys_eyJ xoxe xoxp",
}  # fmt: skip
