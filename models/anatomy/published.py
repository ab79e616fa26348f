"""The published parameter counts that the recipes reproduce, with their sources.

A plain table: `unetbench check models` and the tests build every row and compare. A count stands here when it is
stated to the digit somewhere, or when it was counted on the reference implementation that the source names.
"""

from dataclasses import dataclass, field
from typing import Any

from ...core.task import Task
from ...core.trial import Choice


@dataclass(frozen=True)
class Published:
    """One published count: recipe and options, the count, and the task it was published for.

    trainable: what an optimizer changes. total: with the running statistics of normalisations. One may be unknown.
    modalities: channels of each, where the recipe tells them apart.
    size: the image the recipe is checked at, where 256×256 or 64×64×64 does not serve.
    """

    recipe: str
    source: str
    trainable: int | None = None
    total: int | None = None
    options: dict[str, Any] = field(default_factory=dict, hash=False)
    rank: int = 2
    channels: int = 3
    outputs: int = 1
    modalities: tuple[int, ...] = ()
    size: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        """As tables write it: `unet` or `unet(width=35)`."""
        return Choice(self.recipe, self.options).label

    @property
    def count(self) -> int | None:
        """The published number: the trainable count where it is known, else the total."""
        return self.total if self.trainable is None else self.trainable

    @property
    def task(self) -> Task:
        """A task of that rank with that many channels and logits."""
        modalities = tuple((f"modality {k}", channels) for k, channels in enumerate(self.modalities))
        if self.outputs == 1:
            return Task(self.rank, self.channels, ("foreground",), modalities=modalities)
        classes = tuple(f"class {k}" for k in range(self.outputs))
        return Task(self.rank, self.channels, classes, "exclusive", modalities=modalities)

    def meets(self, trainable: int, total: int) -> bool:
        """Whether a model of those counts is the published one, to the digit."""
        return self.trainable in (None, trainable) and self.total in (None, total)


RONNEBERGER = "Ronneberger et al. 2015, arXiv:1505.04597, zero-padded"
BASELINES = "Zhou et al. 2018, arXiv:1807.10165, its baselines"
FUSED = f"{RONNEBERGER}; a second encoder and 1×1 fusions, by arithmetic from it"
MONAI = "Project-MONAI/MONAI 1.6.1, counted"
DYNAMIC = "MIC-DKFZ/dynamic-network-architectures 0.4.4, counted"
MEDNEXT = "MIC-DKFZ/MedNeXt, counted"
RESUNET_A = "feevos/resuneta, ResUNet_d6, counted, without the 195 of the colour that it also predicts"
INCEPTION = "danielenricocahall/Keras-UNet, createInceptionUNet, counted"
PYMIC = "HiLab-git/PyMIC 0.6.2 with TransConv, counted"
DEEP = {"deep_supervision": True}

PUBLISHED = (
    Published("unet", RONNEBERGER, 31_030_593, channels=1),
    Published("unet", RONNEBERGER, 31_030_658, channels=1, outputs=2),
    Published("unet", RONNEBERGER, 31_031_745),
    Published("unet", BASELINES, 9_282_246, channels=1, options={"width": 35}),
    Published("unet_half", BASELINES, 7_759_521, channels=1),
    Published("unet_quarter", f"{RONNEBERGER}; a quarter of its widths", 1_941_105),
    Published("late_fusion_unet", f"{RONNEBERGER}; the same where there is one modality", 31_030_593, channels=1),
    Published("late_fusion_unet", FUSED, 52_668_097, channels=2, modalities=(1, 1)),
    Published("late_fusion_unet", FUSED, 52_669_249, channels=4, modalities=(3, 1)),
    Published("unet_milesial", "milesial/Pytorch-UNet", 31_037_698, outputs=2),
    Published("unet_light", f"{RONNEBERGER}; separable, Howard et al. 2017, arXiv:1704.04861", 5_982_364),
    Published(
        "unet_light",
        f"{RONNEBERGER}; separable, Howard et al. 2017, arXiv:1704.04861",
        1_510_492,
        options={"width": 32},
    ),
    Published(
        "unet_3d",
        "Çiçek et al. 2016, arXiv:1606.06650; normalisation not counted",
        19_069_955,
        options={"normalisation": "none"},
        rank=3,
        outputs=3,
    ),
    Published("unet_wide", "MrGiovanni/UNetPlusPlus, its wide U-Net", 9_282_246, channels=1),
    Published("unet_leejunhyun", "LeeJunHyun/Image_Segmentation, counted", 34_527_041),
    Published("unet_zhixuhao", "zhixuhao/unet", 31_031_685, channels=1),
    Published("unet_light_half", f"{RONNEBERGER}; separable, Howard et al. 2017, arXiv:1704.04861", 1_510_492),
    Published("unet_light_quarter", f"{RONNEBERGER}; separable; by arithmetic from these two", 385_084),
    Published("attention_unet", "LeeJunHyun/Image_Segmentation, counted", 34_878_573),
    Published("r2_unet", "LeeJunHyun/Image_Segmentation, counted", 39_091_393),
    Published("r2_attention_unet", "LeeJunHyun/Image_Segmentation, counted", 39_442_925),
    Published("unet_plus_plus", "MrGiovanni/UNetPlusPlus", 9_041_601, channels=1),
    Published(
        "unet_plus_plus",
        "MrGiovanni/UNetPlusPlus; three more heads of 33",
        9_041_700,
        options={"deep_supervision": True},
        channels=1,
    ),
    Published("unet_3plus", "ZJUGiveLab/UNet-Version, counted", 26_971_777),
    Published("unet_3plus", "ZJUGiveLab/UNet-Version, counted", 26_989_637, options={"deep_supervision": True}),
    Published(
        "unet_3plus",
        "ZJUGiveLab/UNet-Version, counted",
        26_991_687,
        options={"deep_supervision": True, "guided": True},
    ),
    Published("multires_unet", "nibtehaz/MultiResUNet, Keras; total in arXiv:1902.04049", 7_238_228, 7_262_750),
    Published(
        "multires_unet",
        "nibtehaz/MultiResUNet, Keras; total in arXiv:1902.04049",
        18_633_167,
        18_657_689,
        rank=3,
        channels=4,
    ),
    Published("dc_unet", "AngeLouCN/DC-UNet, Keras, counted", 10_040_524, 10_069_928),
    Published("resunet", "rishikksh20/ResUnet, counted", 13_043_009),
    Published("resunet_plus_plus", "DebeshJha/ResUNetPlusPlus, Keras, counted", 4_062_993, 4_070_385),
    Published("resunet_a", RESUNET_A, 58_032_902 - 195, 58_065_574 - 195),
    Published("resunet_a", RESUNET_A, 58_037_781 - 195, 58_070_453 - 195, channels=5, outputs=6),
    Published("scse_unet", f"{PYMIC}, its 2D encoder and decoder ScSE", 8_205_322, channels=1),
    Published("scse_unet", f"{PYMIC}, its 2D encoder and decoder ScSE", 8_205_898),
    Published("scse_unet", f"{PYMIC}, UNet3D_ScSE", 23_021_130, rank=3, channels=1),
    Published("inception_unet", INCEPTION, 18_065_091, 18_082_757, channels=1),
    Published("inception_unet", INCEPTION, 18_065_475, 18_083_141, channels=4),
    Published("u2_net", "xuebinqin/U-2-Net, counted", 44_009_869),
    Published("u2_net_p", "xuebinqin/U-2-Net, counted", 1_131_181),
    Published("sa_unet", "clguo/SA-UNet, Keras; total in arXiv:2004.03696", 537_299, 538_707),
    Published("dense_unet", "bfortuner/pytorch_tiramisu, FCDenseNet103, counted", 9_319_521),
    Published("u_lite", "duong-db/U-Lite, counted", 878_417),
    Published("unext", "jeya-maria-jose/UNeXt-pytorch, counted", 1_471_921),
    Published("unext_s", "jeya-maria-jose/UNeXt-pytorch, UNext_S, counted", 253_561),
    Published("cmunext_s", "FengheTan9/CMUNeXt, counted", 417_505),
    Published("cmunext", "FengheTan9/CMUNeXt, counted", 3_149_185),
    Published("cmunext_l", "FengheTan9/CMUNeXt, counted", 8_286_721),
    Published("malunet", "JCruan519/MALUNet, counted", 177_943),
    Published("ege_unet", "JCruan519/EGE-UNet, counted", 53_374),
    Published("ege_unet", "JCruan519/EGE-UNet, counted", 53_374, options={"deep_supervision": True}),
    Published("tiny_unet", "ChenJunren-Lab/TinyU-Net, counted", 481_170, outputs=2),
    Published("vnet", "black0017/MedicalZooPytorch", 45_600_316, rank=3, channels=1, outputs=2),
    Published("vnet", f"{MONAI}, VNet", 45_597_898, options={"bias": False}, rank=3, channels=1, outputs=2),
    Published("residual_unet", f"{MONAI}, UNet of 2 residual units", 4_808_917, rank=3, channels=1, outputs=2),
    Published("attention_unet_monai", f"{MONAI}, AttentionUnet", 31_740_337),
    Published(
        "attention_unet_monai",
        f"{MONAI}, AttentionUnet",
        5_909_130,
        options={"width": 16},
        rank=3,
        channels=1,
        outputs=2,
    ),
    Published("basic_unet", f"{MONAI}, BasicUNet", 5_749_410, rank=3, channels=1, outputs=2),
    Published(
        "basic_unet_plus_plus",
        f"{MONAI}, BasicUNetPlusPlus, without the three heads of 66 that it does not use",
        6_979_976 - 3 * 66,
        rank=3,
        channels=1,
        outputs=2,
    ),
    *(
        Published(
            "unetr",
            f"{MONAI}, UNETR, without the 18,432 of cross-attention that it does not use; arXiv:2103.10504 has 92.58 M",
            count - 18_432,
            rank=3,
            channels=1,
            outputs=outputs,
            size=(96, 96, 96),
        )
        for outputs, count in ((2, 92_802_274), (14, 92_802_478))
    ),
    Published("unetr", f"{MONAI}, UNETR, alike", 87_681_265 - 18_432, size=(224, 224)),
    *(
        Published(
            "trans_unet",
            f"Beckschen/TransUNet, R50-ViT-B_16 for {edge}²; arXiv:2102.04306, counted",
            count,
            count + 2_880,
            options={} if edge == 224 else {"patch": (edge, edge)},
            outputs=outputs,
            size=(edge, edge),
        )
        for edge, outputs, count in ((224, 1, 105_275_921), (224, 9, 105_277_081), (256, 9, 105_323_161))
    ),
    *(
        Published("swin_unet", "HuCaoFighting/Swin-Unet, counted", count, count, outputs=outputs, size=(224, 224))
        for outputs, count in ((1, 27_168_132), (9, 27_168_900))
    ),
    Published(
        "encoder_unet",
        "qubvel-org/segmentation_models.pytorch, Unet on resnet50: 32,521,105; Keras adds 26,560 biases to its encoder",
        32_521_105 + 26_560,
    ),
    Published(
        "encoder_unet",
        "qubvel-org/segmentation_models.pytorch 0.6.0, Unet on densenet121, counted",
        13_607_633,
        options={"encoder": "densenet121"},
    ),
    Published(
        "encoder_unet",
        "qubvel/segmentation_models, issue 128: Unet on efficientnetb0",
        10_071_501,
        options={"encoder": "efficientnet_b0"},
    ),
    Published(
        "encoder_unet",
        "qubvel/segmentation_models, Unet on mobilenetv2 (amirreza-hos/tflite-license-plate-segmentation)",
        total=8_047_441,
        options={"encoder": "mobilenet_v2"},
    ),
    Published("nnunet", f"{DYNAMIC}, PlainConvUNet", 31_195_594, options=DEEP, rank=3, channels=1, outputs=2),
    Published("nnunet", f"{DYNAMIC}, PlainConvUNet", 46_325_134, options=DEEP, outputs=2, size=(512, 512)),
    Published(
        "nnunet_residual", f"{DYNAMIC}, ResidualEncoderUNet", 102_349_770, options=DEEP, rank=3, channels=1, outputs=2
    ),
    Published(
        "nnunet_residual", f"{DYNAMIC}, ResidualEncoderUNet", 140_017_614, options=DEEP, outputs=2, size=(512, 512)
    ),
    *(
        Published(
            "mednext",
            f"{MEDNEXT}; {count:,} with its dummy parameter",
            count - 1,
            options={"size": size},
            rank=3,
            channels=1,
            outputs=2,
        )
        for size, count in (("S", 5_550_915), ("B", 10_526_307), ("M", 17_548_963), ("L", 61_779_267))
    ),
)
