"""The named sets of texts: counts are of texts, of sentences, or of the tokens of a language model's one text."""

from thalweg.datasets.entry import Entry, Published

SENTIMENT = ("negative", "positive")
GMB_KINDS = ("art", "eve", "geo", "gpe", "nat", "org", "per", "tim")
WNUT_KINDS = ("corporation", "creative-work", "group", "location", "person", "product")

TINYSHAKESPEARE = Entry(
    "tinyshakespeare",
    "thalweg.datasets.tinyshakespeare:load_data",
    "Tiny Shakespeare (characters)",
    "language model",
    1_003_854,
    111_540,
    (),
    (),
    folder="tinyshakespeare",
    files=(Published("input.txt", 1_115_394, "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"),),
    mirrors=(
        "https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/",
    ),
)

NAMES = Entry(
    "names",
    "thalweg.datasets.names:load_data",
    "First names",
    "language model",
    32_033,
    0,
    (),
    (),
    folder="names",
    files=(Published("names.txt", 228_145, "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d"),),
    mirrors=("https://raw.githubusercontent.com/karpathy/makemore/988aa59e4d8fefa526d06f3b453ad116258398d4/",),
)

WIKITEXT2 = Entry(
    "wikitext2",
    "thalweg.datasets.wikitext2:load_data",
    "WikiText-2 (words)",
    "language model",
    2_088_628,
    245_569,
    (),
    (),
    folder="wikitext-2",
    files=(
        Published(
            "wiki.train.shuffled.tokens", 10_797_148, "728c77e87e176af4730f9a80fc6008bcaff421a7202c1c048877c0eec3685f89"
        ),
        Published("wiki.valid.tokens", 1_121_681, "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8"),
        Published("wiki.test.tokens", 1_256_449, "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0"),
    ),
    validation=217_646,
)

IMDB = Entry(
    "imdb",
    "thalweg.datasets.imdb:load_texts",
    "IMDb film reviews (a part)",
    "text classes",
    10_000,
    4_000,
    (),
    SENTIMENT,
    folder="imdb",
    files=(
        Published(
            "imdb_train_10000.tsv.gz", 5_161_753, "80ab053d43a7ea9204471a55679d96d259aad3e22df8edd4e971f67a71213e4a"
        ),
        Published(
            "imdb_test_4000.tsv.gz", 2_028_035, "33e52d101ada222ce70676bfa4a504265b07332c52012f484e1adaf6f209afe3"
        ),
    ),
)

SST2 = Entry(
    "sst2",
    "thalweg.datasets.sst2:load_data",
    "SST-2 film review phrases (GLUE)",
    "text classes",
    67_349,
    872,
    (),
    SENTIMENT,
    folder="sst2",
    files=(
        Published("train.tsv", 3_806_081, "8621df47b79e9b3fa010405ef4dd506cbf483319cf851f20f2b6773f61d387b5"),
        Published("dev.tsv", 94_931, "54a9c12c77e402fc14d6a66a506f24d999f596b0176eb777c972cccc2f9cc4b0"),
    ),
)

RT_POLARITY = Entry(
    "rt_polarity",
    "thalweg.datasets.rt_polarity:load_data",
    "Film review sentences (rt-polarity)",
    "text classes",
    10_662,
    0,
    (),
    SENTIMENT,
    folder="rt-polarity",
    files=(
        Published("rt-polarity.neg", 612_506, "2d11cfbc790f1cd96d78339f41ce53ced1efa83cd22d37d6788fa3fe3d17e2fd"),
        Published("rt-polarity.pos", 626_395, "4134882974a28d0c7b5151256f0e33a6169984ee7372c279e673f1114f475d58"),
    ),
    mirrors=(
        "https://raw.githubusercontent.com/dennybritz/cnn-text-classification-tf/18762b459e21d9c70e5c242f8d43fc4e6db37a0d/data/rt-polaritydata/",
    ),
)

MULTI30K = Entry(
    "multi30k",
    "thalweg.datasets.multi30k:load_english_german",
    "Multi30k picture captions, four languages",
    "translation",
    29_000,
    1_000,
    (),
    (),
    folder="multi30k/raw",
    files=(
        Published("train.cs.gz", 593_827, "a65adb8b32e3bc664f21ecba7a6e7f6950fd1f405e135f7c312faabdb6255077"),
        Published("train.de.gz", 637_044, "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6"),
        Published("train.en.gz", 568_929, "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f"),
        Published("train.fr.gz", 604_242, "622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c"),
        Published("val.cs.gz", 22_096, "b63226e05c4bd5dd6a42897d74b86a1b9d2c31498252c572b1ea7f7996927fcc"),
        Published("val.de.gz", 24_681, "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a"),
        Published("val.en.gz", 21_650, "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28"),
        Published("val.fr.gz", 23_001, "ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9"),
        Published("test_2016_flickr.cs.gz", 22_572, "200a4a74cc9560f051924abb9803be008d1908d77f747e9141aeb86dfd2797f1"),
        Published("test_2016_flickr.de.gz", 22_890, "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8"),
        Published("test_2016_flickr.en.gz", 21_077, "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9"),
        Published("test_2016_flickr.fr.gz", 22_310, "6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90"),
        Published("test_2017_flickr.de.gz", 21_471, "a2c89666db00c495cd8513b9d708d5a3acc205d7de312ef2bf5fb7ebc1540aee"),
        Published("test_2017_flickr.en.gz", 19_138, "76a444ee25172e72695cddb13ae4a3bda59430617be88e0bb46b60504f054074"),
        Published("test_2017_flickr.fr.gz", 20_434, "3ba671ceb2299f3304ffafefea7a833d08632fbaf0ba18546f8a2ec2391af496"),
        Published("test_2017_mscoco.de.gz", 10_230, "799e4854c25d601cb6cb6be29eabe5667734c61ace2f495e03e429031a0bc338"),
        Published("test_2017_mscoco.en.gz", 8_844, "aab300bfb4427697987e02cd0aacd44bfe8aa50456231b6474c08038bbed2b58"),
        Published("test_2017_mscoco.fr.gz", 9_751, "754f3072ba9f124569ba5258b32730fc1d214bbf8e0c6dfb2b74401676220db0"),
        Published("test_2018_flickr.cs.gz", 25_181, "7d0a9db904f94c554a8c58049a9f3a5357c27f46cc3d710d70cb0b4a2585b8c2"),
        Published("test_2018_flickr.de.gz", 26_461, "ddd0130c7d97482dc5197a02141dae8dd79f20f03586c480d675c09a32daf608"),
        Published("test_2018_flickr.en.gz", 23_514, "ef4f4844037d4c5dea75c9a8ed5fd78905967a26f67c255e230cc9780032654d"),
        Published("test_2018_flickr.fr.gz", 25_321, "fb2b83fcceb937a4f7e3e93c1c51c22aba92f1e342391e6b5ba392b16a920501"),
    ),
    mirrors=(
        "https://raw.githubusercontent.com/multi30k/dataset/a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw/",
    ),
    validation=1_014,
)

TATOEBA = Entry(
    "tatoeba",
    "thalweg.datasets.tatoeba:load_data",
    "Tatoeba sentences, English and Chinese",
    "translation",
    26_388,
    0,
    (),
    (),
    folder="tatoeba",
    files=(Published("cmn.txt", 3_765_470, "af1099fbf65a5c7041ff4e960306b13138793887335b53b4d9f698faefa6593a"),),
)

GMB_NER = Entry(
    "gmb_ner",
    "thalweg.datasets.gmb_ner:load_data",
    "Groningen Meaning Bank, entities",
    "tags",
    47_959,
    0,
    (),
    GMB_KINDS,
    folder="gmb-ner",
    files=(Published("gmb.conll", 12_305_622, "8dade72f7cdcb40813b30a5e47eb6ee0d1afb5c11ee13ae8cdfb1a7ae8986767"),),
)

WNUT17 = Entry(
    "wnut17",
    "thalweg.datasets.wnut17:load_data",
    "WNUT-17 emerging entities",
    "tags",
    3_394,
    1_287,
    (),
    WNUT_KINDS,
    folder="wnut17",
    files=(
        Published("wnut17train.conll", 493_781, "731820e13f71af324c6b55a1575ec2ce59fbaa2a0806f8f0400b98d56cd6a7a5"),
        Published("emerging.dev.conll", 114_749, "e053b752b8155113ca66e7db08af5f2f5f43ab993694e4774f1ec5bad42312d8"),
        Published(
            "emerging.test.annotated", 192_425, "2aa79b764e56ec9264a1b30fdd9b70195bd00ff400b62edd8f399d5f13c178f0"
        ),
    ),
    mirrors=(
        "https://raw.githubusercontent.com/leondz/emerging_entities_17/e52a2d2a71ac1a051ca2d532eef28653c5c02603/",
    ),
    validation=1_009,
)

BTC_NER = Entry(
    "btc_ner",
    "thalweg.datasets.btc_ner:load_data",
    "Broad Twitter Corpus, entities",
    "tags",
    6_339,
    2_001,
    (),
    ("LOC", "ORG", "PER"),
    folder="btc-ner",
    files=(
        Published("a.conll", 121_889, "ac824cc13c88283fe3cca05343e46c79ec4cd5b174429f27bf8fe0ebdc1bbf33"),
        Published("b.conll", 235_519, "504a094a0398e03fd7b394510e313b8fc844407102252182d90aea23f53cc322"),
        Published("e.conll", 34_631, "77aca745cdc28ae0fafbcf36a93ccfd15357a8db97c21d91083592dd85e348c5"),
        Published("f.conll", 294_166, "3bd2387dfc98ebc9d8b77d8b9c59826262e9beadce71ce8edde272821b9c87c8"),
        Published("g.conll", 320_339, "d53a27645cabc4e63313d573498b48b0cc5ed780d280edfbdc4fedefe23479da"),
        Published("h.conll", 235_158, "7f31215a79f3131526236203907c8d003b8e0f8ee6eef2a216ebb685340ebe39"),
    ),
    mirrors=(
        "https://raw.githubusercontent.com/GateNLP/broad_twitter_corpus/0c45ef7b1924a6b8115bceab388781590b1b553a/",
    ),
    validation=1_000,
)
