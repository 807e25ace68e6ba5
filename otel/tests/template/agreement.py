"""Templates with conditions and intrinsic functions, and what CloudFormation makes of each by their defaults."""

from dataclasses import dataclass, field


def layer(name: str) -> str:
    """The ARN of a layer."""
    return f"arn:aws:lambda:us-east-1:111111111111:layer:{name}:1"


@dataclass(frozen=True, slots=True)
class Made:
    """A function as it is deployed. `layers` are names in their order."""

    memory_mb: int = 128
    timeout_s: float = 3
    layers: tuple[str, ...] = ()
    tracing: str = "PassThrough"
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """`sections` come before the resources, `properties` are of the function Work, `resources` are more of them.

    `undecided` has what each command says of the undecided conditions.
    """

    properties: str
    work: Made | None
    sections: str = ""
    resources: str = ""
    more: dict[str, Made] = field(default_factory=dict)
    undecided: tuple[str, ...] = ()
    condition: str = ""

    @property
    def made(self) -> dict[str, Made]:
        """The functions that exist, by logical id."""
        return {**({"Work": self.work} if self.work is not None else {}), **self.more}

    @property
    def text(self) -> str:
        """The template. `Always` exists in each, because the example's system serves no template without a route."""
        condition = f"    Condition: {self.condition}\n" if self.condition else ""
        properties = "".join(f"      {line}\n" for line in self.properties.strip().splitlines())
        return f"""\
Transform: AWS::Serverless-2016-10-31
{self.sections.strip()}
Resources:
  Work:
    Type: AWS::Serverless::Function
{condition}    Properties:
{FIXED}{properties}{self.resources}"""


FIXED = """\
      Runtime: python3.13
      Handler: index.handler
      InlineCode: "def handler(event, context): ..."
"""


def another(name: str, properties: str = "", condition: str = "") -> str:
    """One more function."""
    head = f"  {name}:\n    Type: AWS::Serverless::Function\n"
    attribute = f"    Condition: {condition}\n" if condition else ""
    return f"{head}{attribute}    Properties:\n{FIXED}{properties}"


FLAG = "Parameters: { Flag: { Type: String, Default: true, AllowedValues: [true, false] } }\n"
STAGE = "Parameters: { Stage: { Type: String, Default: dev } }\n"
NONE = "!Ref AWS::NoValue"

CASES = {
    "three conditions": Case(
        f"""
MemorySize: !If [IsFlag, 256, 512]
Layers: [!If [InMap, "{layer("Tools")}", {NONE}]]
Timeout: !If [IsJoined, 7, 9]
""",
        Made(256, 7, ("Tools",)),
        FLAG
        + """\
Mappings: { Stages: { dev: { Traced: "yes" } } }
Conditions:
  IsFlag: !Equals [!Ref Flag, true]
  InMap: !Equals [!FindInMap [Stages, dev, Traced], "yes"]
  IsJoined: !Equals [!Join ["-", [a, !Ref Flag]], a-true]
""",
    ),
    "numbers, fractions and booleans are texts": Case(
        """
MemorySize: !If [IsFive, !If [IsText, 256, 512], 512]
Timeout: !If [IsHalf, !If [IsOne, 7, 9], 11]
Tracing: !If [IsOff, !If [IsCapital, PassThrough, Active], PassThrough]
""",
        Made(256, 9, tracing="Active"),
        """\
Parameters:
  Count: { Type: Number, Default: 5 }
  Rate: { Type: Number, Default: 0.5 }
  One: { Type: String, Default: "1.0" }
  Flag: { Type: String, Default: "false" }
  Capital: { Type: String, Default: "True" }
Conditions:
  IsFive: !Equals [!Ref Count, 5]
  IsText: !Equals ["5", !Ref Count]
  IsHalf: !Equals [!Ref Rate, "0.5"]
  IsOne: !Equals [!Ref One, 1]
  IsOff: !Equals [!Ref Flag, false]
  IsCapital: !Equals [!Ref Capital, true]
""",
    ),
    "and, or, not": Case(
        "MemorySize: !If [Both, 256, 512]\nTimeout: !If [Either, 7, 9]\nTracing: !If [Neither, PassThrough, Active]",
        Made(512, 7, tracing="Active"),
        STAGE
        + """\
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
  Both: !And [!Condition IsDev, !Equals [a, b]]
  Either: !Or [!Equals [a, b], !Condition IsDev]
  Neither: !Not [!Or [!Condition Both, !Condition Either]]
""",
    ),
    "the long form": Case(
        """
MemorySize: { "Fn::If": [Both, 256, 512] }
Environment: { Variables: { NAME: { "Fn::Join": ["", [{ Ref: Stage }, { "Fn::Sub": "-${Stage}" }]] } } }
""",
        Made(256, variables={"NAME": "dev-dev"}),
        STAGE
        + """\
Conditions:
  IsDev: { "Fn::Equals": [{ Ref: Stage }, dev] }
  Both: { "Fn::And": [{ Condition: IsDev }, { "Fn::Not": [{ "Fn::Equals": [{ Ref: "AWS::Region" }, eu-west-1] }] }] }
""",
    ),
    "substitution": Case(
        """
MemorySize: !If [IsHere, 256, 512]
Timeout: !If [IsNamed, 7, 9]
Tracing: !If [IsLiteral, Active, PassThrough]
Environment: { Variables: { NAME: !Sub "${!Stage}-${Stage}" } }
""",
        Made(256, 7, tracing="Active", variables={"NAME": "${Stage}-dev"}),
        STAGE
        + """\
Conditions:
  IsHere: !Equals [!Sub "${Stage}-${AWS::Region}", dev-us-east-1]
  IsNamed: !Equals [!Sub ["${A}.${Stage}", { A: !Join ["+", [x, !Ref Stage]] }], x+dev.dev]
  IsLiteral: !Equals [!Sub "${!Stage}-${Stage}", "${Stage}-dev"]
""",
    ),
    "an item of a list, a part of a text": Case(
        """
MemorySize: !Select [1, !Ref Sizes]
Timeout: !Select [1, !Split ["-", !Ref Size]]
Tracing: !If [IsSecond, !If [IsLast, Active, PassThrough], PassThrough]
""",
        Made(256, 7, tracing="Active"),
        """\
Parameters:
  Sizes: { Type: CommaDelimitedList, Default: "128, 256" }
  Size: { Type: String, Default: a-7-z }
Conditions:
  IsSecond: !Equals [!Join ["/", !Ref Sizes], 128/256]
  IsLast: !Equals [!Select [2, !Split ["-", !Ref Size]], z]
""",
    ),
    "a mapping by region": Case(
        f"""
MemorySize: !FindInMap [Sizes, !Ref AWS::Region, Memory]
Timeout: !FindInMap [Sizes, !If [IsDev, us-east-1, eu-west-1], Seconds]
Layers: [!Sub "arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:111111111111:layer:${{Stage}}:1", "{layer("Last")}"]
""",
        Made(256, 7, ("dev", "Last")),
        STAGE
        + """\
Mappings: { Sizes: { us-east-1: { Memory: 256, Seconds: 7 }, eu-west-1: { Memory: 512, Seconds: 9 } } }
Conditions: { IsDev: !Equals [!Ref Stage, dev] }
""",
    ),
    "functions with conditions": Case(
        "MemorySize: 256",
        None,
        STAGE + "Conditions: { IsProd: !Equals [!Ref Stage, prod], IsDev: !Not [!Condition IsProd] }",
        another("Other", "      MemorySize: 512\n", condition="IsDev") + another("Third"),
        {"Other": Made(512), "Third": Made()},
        condition="IsProd",
    ),
    "a whole list, a whole mapping": Case(
        f"""
Layers: !If [IsDev, ["{layer("One")}", "{layer("Two")}"], {NONE}]
Environment: !If [IsDev, {{ Variables: {{ A: "1", B: !If [IsProd, "2", {NONE}] }} }}, {NONE}]
Tracing: !If [IsProd, PassThrough, {NONE}]
""",
        Made(layers=("One", "Two"), variables={"A": "1"}),
        STAGE + "Conditions: { IsProd: !Equals [!Ref Stage, prod], IsDev: !Not [!Condition IsProd] }",
    ),
    "shared properties": Case(
        f"""
Layers: ["{layer("Own")}"]
MemorySize: !If [IsProd, 512, {NONE}]
Timeout: !If [IsDev, 7, 9]
Environment: {{ Variables: {{ A: own, C: !If [IsProd, c, {NONE}] }} }}
""",
        Made(128, 7, ("Shared", "Own"), "Active", {"A": "own", "B": "dev"}),
        STAGE
        + f"""\
Conditions: {{ IsProd: !Equals [!Ref Stage, prod], IsDev: !Not [!Condition IsProd] }}
Globals:
  Function:
    MemorySize: 1024
    Timeout: 20
    Tracing: !If [IsDev, Active, PassThrough]
    Layers: [!If [IsDev, "{layer("Shared")}", {NONE}]]
    Environment: {{ Variables: {{ A: shared, B: !Ref Stage, C: shared }} }}
""",
        another("Other"),
        {"Other": Made(1024, 20, ("Shared",), "Active", {"A": "shared", "B": "dev", "C": "shared"})},
    ),
    "a choice replaces a shared list": Case(
        f'Layers: !If [IsDev, ["{layer("Own")}"], []]',
        Made(layers=("Own",)),
        STAGE
        + f"""\
Conditions: {{ IsDev: !Equals [!Ref Stage, dev] }}
Globals: {{ Function: {{ Layers: ["{layer("Shared")}"] }} }}
""",
    ),
    "ignored shared properties": Case(
        "Timeout: 7",
        Made(512, 7),
        """\
Globals: { Function: { MemorySize: 512, Timeout: 20 } }
""",
        another("Other").replace("    Properties", '    IgnoreGlobals: "*"\n    Properties'),
        {"Other": Made()},
    ),
    "a false part decides": Case(
        "MemorySize: !If [Both, 256, 512]\nTimeout: !If [Either, 7, 9]",
        Made(512, 7),
        """\
Parameters: { Stage: { Type: String } }
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  Both: !And [!Condition IsProd, !Equals [a, b]]
  Either: !Or [!Condition IsProd, !Equals [a, a]]
""",
    ),
    "a parameter without a default": Case(
        "MemorySize: !If [IsProd, 256, 512]\nTimeout: !If [IsTest, 7, 9]\nTracing: !If [IsLive, Active, PassThrough]",
        Made(512, 7),
        """\
Parameters: { Stage: { Type: String }, Kind: { Type: String, AllowedValues: [test, live] } }
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsTest: !Equals [!Ref Kind, test]
  IsLive: !And [!Not [!Condition IsTest], !Equals [!Sub "${Stage}", local]]
""",
        undecided=(
            "condition IsProd is undecided, because Stage is unknown: false is assumed",
            "condition IsTest is undecided, because Kind is unknown: true is assumed",
            "condition IsLive is undecided, because Kind and Stage are unknown: false is assumed",
        ),
    ),
    "functions with undecided conditions": Case(
        "MemorySize: 256",
        None,
        """\
Parameters: { Stage: { Type: String } }
Conditions: { IsProd: !Equals [!Ref Stage, prod], IsOther: !Not [!Condition IsProd] }
""",
        another("Other", "      MemorySize: 512\n", condition="IsOther"),
        {"Other": Made(512)},
        (
            "condition IsOther is undecided, because Stage is unknown: true is assumed",
            "condition IsProd is undecided, because Stage is unknown: false is assumed",
        ),
        "IsProd",
    ),
    "an account": Case(
        "MemorySize: !If [IsOurs, 256, 512]\nTimeout: !If [IsStack, 7, 9]",
        Made(512, 7),
        """\
Conditions:
  IsOurs: !Equals [!Ref AWS::AccountId, "111111111111"]
  IsStack: !Equals [!Ref AWS::StackName, shop]
""",
        undecided=(
            "condition IsOurs is undecided, because AWS::AccountId is unknown: false is assumed",
            "condition IsStack is undecided, because AWS::StackName is unknown: true is assumed",
        ),
    ),
    "a value in Parameter Store": Case(
        "MemorySize: !If [IsNamed, 256, 512]\nTimeout: !If [IsRead, 7, 9]",
        Made(512, 7),
        """\
Parameters: { Stored: { Type: "AWS::SSM::Parameter::Value<String>", Default: /a/b } }
Conditions:
  IsNamed: !Equals [!Ref Stored, /a/b]
  IsRead: !Equals ["{{resolve:ssm:/a/b}}", x]
""",
        undecided=(
            "condition IsNamed is undecided, because Stored is unknown: false is assumed",
            "condition IsRead is undecided, because {{resolve:ssm:/a/b}} is unknown: true is assumed",
        ),
    ),
    "a value of another stack": Case(
        "MemorySize: !If [IsShared, 256, 512]",
        Made(256),
        "Conditions: { IsShared: !Equals [!ImportValue shared-size, large] }",
        undecided=("condition IsShared is undecided, because Fn::ImportValue shared-size is unknown: true is assumed",),
    ),
}
