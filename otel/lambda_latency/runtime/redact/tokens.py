"""The prefixes of many vendors' tokens. Vendors document them so that leaked tokens are found."""

from __future__ import annotations

# By the least number of characters after the prefix.
BEGINNINGS = {
    3: "sk_live_ sk_test_ sk_prod_ rk_live_ rk_test_ rk_prod_ sk-live- sk-test-",
    8: "IQoJb3JpZ2lu FwoGZXIvYXdz FQoGZXIvYXdz AQoDYXdz AQoEXAMPLE xoxb- xoxp- xoxa- xoxr- xoxs- xoxe- xoxe. "
        "xoxo- xoxc- xoxd- xapp- sk-proj- sk-ant- sk-or- sk-svcacct- sk-admin- hvs. hvb. hvr. FlyV1",
    12: "AKIA ASIA ABIA ACCA whsec_ ya29. LTAI rzp_live_ rzp_test_",
    13: "AKID",
    16: "bedrock-api-key- ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- glrt- glcbt- glptt- glft- glimt- "
        "glagent- glsoat- gloas- GR1348941 GOCSPX- SG. pypi-AgE sq0atp- sq0csp- sq0idp- NRJS- figd_ "
        "pscale_pw_ pscale_tkn_ pscale_oauth_ sb_secret_ FLWSECK AGE-SECRET-KEY-1 ops_eyJ CCIPAT_ tskey- "
        "sdk-live- dnkey- sm_aat_ sm_pat_ sm_sat_ glffct- flb_live_",
    20: "aio_ s-s4t2ud- s-s4t2af- API- squ_ sqp_ sqa_ NRAK- NRII- NRAL- NRIQ- dckr_pat_ dckr_oat_ tvly- vercel_ "
        "co_api_ GOOG1",
    24: "1//0 shpat_ shpca_ shppa_ shpss_ shpua_ shptka_ dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit. "
        "sntrys_ sntryu_ glc_ glsa_ lin_api_ lin_oauth_ ntn_ PMAK- ATATT3 ATCTT3 ATBB HRKU- fm2_ fo1_ CFPAT- "
        "fio-u- p8e- xkeysib- xsmtpsib- duffel_ shippo_live_ shippo_test_ tfp_ nfp_ hcaik_ eyJrIjoi dG9rO "
        "lsv2_pt_ lsv2_sk_ apify_api_ shpit_ mfp_ sntrye_",
    30: "AIza npm_ EAA hf_ api_org_ r8_ pplx- gsk_ AQVN pnu_ ico- ddp_ pat-na1- pat-eu1- access-sandbox- "
        "access-development- access-production- fc- re_ phx_ rpa_ nvapi- patATT cio_ tk-us- ion_ lip_",
    32: "sk- rubygems_ dop_v1_ doo_v1_ dor_v1_ dapi key- secret_ sbp_ CLOJARS_ rdme_ snyk_ sgp_ sha256~ bkua_ "
        "napi_ e2b_ amzn.mws.",
    40: "ABSK sl.B xai- v1.0- dt0c01. dt0s01. dt0s02. dt0s16. slk_ rootly_ EZAK EZTK AKCp pul- oy2 phc_ EAAAE",
    60: "pat. sat.",
    100: "AAAA",
    200: "MII",
}  # fmt: skip
ALL = " ".join(BEGINNINGS.values())
STARTS = frozenset([one[:4] for one in ALL.split()])
PARTED = frozenset([one.partition("-")[0] for one in ALL.replace("_", "-").replace(".", "-").split()])
# Beginnings up to their last dot, for a run of letters and digits begins after it.
DOTTED = tuple(sorted({one[: one.rfind(".") + 1] for one in ALL.split() if "." in one}))
LONG = 14  # the longest random part that CloudFormation and others add to names, in characters


def is_plain(run: str) -> bool:
    """Whether a run of letters, digits, dashes and slashes is certainly not a token, a key or base64.

    True for words, numbers, hashes, UUIDs and names that consist of them.
    """
    if "-us" in run:  # a key of Mailchimp's ends with its region
        return False
    single = run.islower() or run.isupper()
    if single and not run.strip("0123456789abcdefABCDEF-") and run.partition("-")[0] not in PARTED:
        return True
    if len(run) > 35 and not single and ("/" in run or "+" in run) and 5 * sum(map(str.isupper, run)) > len(run):
        return False
    for part in run.replace("_", "-").replace("/", "-").replace("+", "-").split("-"):
        if part in PARTED or part[:4] in STARTS or part[:3] in STARTS:
            return False
        if len(part) <= LONG:
            continue
        if part.isalpha():
            capitals = sum(map(str.isupper, part))
            if capitals > len(part) / 5 and not part.isupper():
                return False
        elif not single:
            return False
    return True
