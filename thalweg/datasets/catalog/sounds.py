"""The named sets of recordings: counts are of recordings; `files` are those by which a set is known."""

from thalweg.datasets.entry import Entry, Published

FSDD = Entry(
    "fsdd",
    "thalweg.datasets.fsdd:load_data",
    "Free Spoken Digits, 8 kHz",
    "sound classes",
    2_700,
    300,
    (),
    tuple("0123456789"),
    "fsdd",
    (
        Published(
            "recordings/0_george_0.wav", 4_812, "228ab63fccdf262d2e05817b6ec918b15e7d9e4bfb6bb20183c46ae088405240"
        ),
        Published(
            "recordings/0_jackson_0.wav", 10_340, "eea86018ce1730baaf7f5dd6ec88c1f727dd90203521a9115b489310a248ea05"
        ),
        Published(
            "recordings/0_lucas_0.wav", 10_210, "1d942e79c200ae1f84618314f2669d9c154718276b38ccf341630635073f7c06"
        ),
        Published(
            "recordings/0_nicolas_0.wav", 7_044, "527b1d27c2b931204b24995f035580dd248b908978a27756b4698ce0aa7e1aa8"
        ),
        Published("recordings/0_theo_0.wav", 6_328, "d5833196a91e5da8703a8afe1f944cbf0d0bae55e5af6a4eb7e92e62070bf280"),
        Published(
            "recordings/0_yweweler_0.wav", 6_250, "c2d53137898d6d32ae86e9703676bcaf595080a1f4e2e3efa5ede5a49f54b6a5"
        ),
    ),
)
"""Its files stand for the 500 of each speaker."""

AN4 = Entry(
    "an4",
    "thalweg.datasets.an4:load_data",
    "AN4 speech with transcripts, 16 kHz",
    "speech",
    948,
    130,
    (),
    (),
    "an4",
    (
        Published("etc/an4_test.fileids", 4_106, "6860eb5ead0e3219b8aa6510fd1a0f1c0717c560bb18928329728ab2614261ce"),
        Published(
            "etc/an4_test.transcription", 4_578, "a36c14d7473eeba948ea64aa95be1e4fa42321ae6d535ea91e2381cb16faacfd"
        ),
        Published("etc/an4_train.fileids", 26_020, "a8a4c7f10776bb7d6804b9f1acd0bb6eedd9978490b514c185cebc216a0efed6"),
        Published(
            "etc/an4_train.transcription", 40_954, "6773e208c26be55101aac7a982983706bc6fcae1375fcff938008bddb7f9a286"
        ),
    ),
)
"""Its files are the published lists; the recordings lie in `wav/`."""
