"""The named sets of pictures: `shape` is one picture's."""

from thalweg.datasets.entry import Entry, Published

CIFAR10_BYTES = 30_730_000  # 10,000 records of one label and 3,072 pixels

TEN_DIGITS = tuple("0123456789")

DIGITS = Entry(
    "digits", "thalweg.datasets.digits:load_data", "Digits (8x8 scans)", "image classes", 1437, 360, (8, 8), TEN_DIGITS
)

MNIST = Entry(
    "mnist",
    "thalweg.datasets.mnist:load_data",
    "MNIST handwritten digits",
    "image classes",
    60_000,
    10_000,
    (28, 28),
    TEN_DIGITS,
    folder="mnist",
    files=(
        Published(
            "train-images-idx3-ubyte.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
        ),
        Published(
            "train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
        ),
        Published(
            "t10k-images-idx3-ubyte.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
        ),
        Published(
            "t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
        ),
    ),
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
)

FASHION_MNIST = Entry(
    "fashion_mnist",
    "thalweg.datasets.fashion_mnist:load_data",
    "Fashion-MNIST clothes",
    "image classes",
    60_000,
    10_000,
    (28, 28),
    (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    folder="fashion-mnist",
    files=(
        Published(
            "train-images-idx3-ubyte.gz", 26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
        ),
        Published(
            "train-labels-idx1-ubyte.gz", 29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
        ),
        Published(
            "t10k-images-idx3-ubyte.gz", 4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
        ),
        Published(
            "t10k-labels-idx1-ubyte.gz", 5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"
        ),
    ),
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
)

CIFAR10 = Entry(
    "cifar10",
    "thalweg.datasets.cifar10:load_data",
    "CIFAR-10 small pictures",
    "image classes",
    50_000,
    10_000,
    (32, 32, 3),
    ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    folder="cifar10/cifar-10-batches-bin",
    files=(
        *(Published(f"data_batch_{i}.bin", CIFAR10_BYTES) for i in range(1, 6)),
        Published("test_batch.bin", CIFAR10_BYTES),
    ),
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    archive=Published(
        "cifar-10-binary.tar.gz", 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
    ),
)
