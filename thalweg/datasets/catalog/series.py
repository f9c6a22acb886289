"""The named series: counts are of rows, `train` with those that validate; `shape` is how many variables there are."""

from thalweg.datasets.entry import Entry, Published

CLASSIC = "https://raw.githubusercontent.com/jbrownlee/Datasets/d20fcb6402ae34e653d4513b00f39257bb37ed7f/"
ETT_MIRROR = "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/1d16c8f4f943005d613b5bc962e9eeb06058cf07/ETT-small/"
EXCHANGE_MIRROR = (
    "https://raw.githubusercontent.com/laiguokun/multivariate-time-series-data/"
    "7f402f185cc2435b5e66aed13a3b560ed142e023/exchange_rate/"
)

AIRLINE_PASSENGERS = Entry(
    "airline_passengers",
    "thalweg.datasets.airline_passengers:load_data",
    "Airline passengers, monthly 1949-1960",
    "series",
    120,
    24,
    (1,),
    (),
    "timeseries-classic",
    (Published("airline-passengers.csv", 2_180, "8cb51be753a718d9be5d76d7e238cc224792754676adc21faa59e954b0201621"),),
    (CLASSIC,),
)

DAILY_MIN_TEMPERATURES = Entry(
    "daily_min_temperatures",
    "thalweg.datasets.daily_min_temperatures:load_data",
    "Melbourne's lowest temperatures, daily 1981-1990",
    "series",
    2_920,
    730,
    (1,),
    (),
    "timeseries-classic",
    (
        Published(
            "daily-min-temperatures.csv", 67_921, "8b9de63ed6789492bf497625e7f9beb96a63d367b4b0a21754006f749fa5e5da"
        ),
    ),
    (CLASSIC,),
)

SUNSPOTS = Entry(
    "sunspots",
    "thalweg.datasets.sunspots:load_data",
    "Sunspots, monthly 1749-1983",
    "series",
    2_256,
    564,
    (1,),
    (),
    "timeseries-classic",
    (Published("monthly-sunspots.csv", 45_039, "c4ec8cc57d9f6fb6ecdb3e1f37f25b6f4badd5124c55931052b0cd2fc3bc71f3"),),
    (CLASSIC,),
)

ETT = Entry(
    "ett",
    "thalweg.datasets.ett:load_data",
    "Electricity transformer temperature, hourly",
    "series",
    11_520,
    2_880,
    (7,),
    (),
    "ett-small",
    (
        Published("ETTh1.csv", 2_589_657, "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066"),
        Published("ETTh2.csv", 2_417_960, "a3dc2c597b9218c7ce1cd55eb77b283fd459a1d09d753063f944967dd6b9218b"),
    ),
    (ETT_MIRROR,),
)

EXCHANGE_RATE = Entry(
    "exchange_rate",
    "thalweg.datasets.exchange_rate:load_data",
    "Exchange rates of 8 countries, daily 1990-2016",
    "series",
    6_071,
    1_517,
    (8,),
    (),
    "exchange-rate",
    (Published("exchange_rate.txt.gz", 177_142, "6a4fbb561dcdee43f071a83badbeec9223a335552278348656738b556f1c2e9d"),),
    (EXCHANGE_MIRROR,),
)
