"""The explicit allow-list of types that a model file may contain.

A type is trusted by the public scikit-learn package it lives in *and* its own name: whatever
private module of the package re-exports the name, it is the same class. Functions are trusted one
by one. Nothing is trusted by prefix alone, because modules re-export dangerous names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Trust = Literal["safe", "allow_listed", "unsafe"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ESTIMATORS: Mapping[str, str] = {
    "sklearn.calibration": ("CalibratedClassifierCV"),
    "sklearn.cluster": (
        "AffinityPropagation AgglomerativeClustering Birch BisectingKMeans DBSCAN "
        "FeatureAgglomeration HDBSCAN KMeans MeanShift MiniBatchKMeans OPTICS "
        "SpectralBiclustering SpectralClustering SpectralCoclustering"
    ),
    "sklearn.compose": ("ColumnTransformer TransformedTargetRegressor"),
    "sklearn.covariance": (
        "EllipticEnvelope EmpiricalCovariance GraphicalLasso GraphicalLassoCV LedoitWolf "
        "MinCovDet OAS ShrunkCovariance"
    ),
    "sklearn.cross_decomposition": ("CCA PLSCanonical PLSRegression PLSSVD"),
    "sklearn.decomposition": (
        "DictionaryLearning FactorAnalysis FastICA IncrementalPCA KernelPCA "
        "LatentDirichletAllocation MiniBatchDictionaryLearning MiniBatchNMF "
        "MiniBatchSparsePCA NMF PCA SparseCoder SparsePCA TruncatedSVD"
    ),
    "sklearn.discriminant_analysis": ("LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis"),
    "sklearn.dummy": ("DummyClassifier DummyRegressor"),
    "sklearn.ensemble": (
        "AdaBoostClassifier AdaBoostRegressor BaggingClassifier BaggingRegressor "
        "ExtraTreesClassifier ExtraTreesRegressor GradientBoostingClassifier "
        "GradientBoostingRegressor HistGradientBoostingClassifier "
        "HistGradientBoostingRegressor IsolationForest RandomForestClassifier "
        "RandomForestRegressor RandomTreesEmbedding StackingClassifier StackingRegressor "
        "VotingClassifier VotingRegressor"
    ),
    "sklearn.feature_extraction": (
        "CountVectorizer DictVectorizer FeatureHasher HashingVectorizer PatchExtractor "
        "TfidfTransformer TfidfVectorizer"
    ),
    "sklearn.feature_selection": (
        "GenericUnivariateSelect RFE RFECV SelectFdr SelectFpr SelectFromModel SelectFwe "
        "SelectKBest SelectPercentile SequentialFeatureSelector VarianceThreshold"
    ),
    "sklearn.frozen": ("FrozenEstimator"),
    "sklearn.gaussian_process": (
        "CompoundKernel ConstantKernel DotProduct ExpSineSquared Exponentiation "
        "GaussianProcessClassifier GaussianProcessRegressor Matern Product RBF "
        "RationalQuadratic Sum WhiteKernel"
    ),
    "sklearn.impute": ("KNNImputer MissingIndicator SimpleImputer"),
    "sklearn.isotonic": ("IsotonicRegression"),
    "sklearn.kernel_approximation": (
        "AdditiveChi2Sampler Nystroem PolynomialCountSketch RBFSampler SkewedChi2Sampler"
    ),
    "sklearn.kernel_ridge": ("KernelRidge"),
    "sklearn.linear_model": (
        "ARDRegression BayesianRidge ElasticNet ElasticNetCV GammaRegressor "
        "HuberRegressor Lars LarsCV Lasso LassoCV LassoLars LassoLarsCV LassoLarsIC "
        "LinearRegression LogisticRegression LogisticRegressionCV MultiTaskElasticNet "
        "MultiTaskElasticNetCV MultiTaskLasso MultiTaskLassoCV OrthogonalMatchingPursuit "
        "OrthogonalMatchingPursuitCV PassiveAggressiveClassifier "
        "PassiveAggressiveRegressor Perceptron PoissonRegressor QuantileRegressor "
        "RANSACRegressor Ridge RidgeCV RidgeClassifier RidgeClassifierCV SGDClassifier "
        "SGDOneClassSVM SGDRegressor TheilSenRegressor TweedieRegressor"
    ),
    "sklearn.manifold": ("ClassicalMDS Isomap LocallyLinearEmbedding MDS SpectralEmbedding TSNE"),
    "sklearn.mixture": ("BayesianGaussianMixture GaussianMixture"),
    "sklearn.model_selection": (
        "FixedThresholdClassifier GridSearchCV RandomizedSearchCV TunedThresholdClassifierCV"
    ),
    "sklearn.multiclass": ("OneVsOneClassifier OneVsRestClassifier OutputCodeClassifier"),
    "sklearn.multioutput": (
        "ClassifierChain MultiOutputClassifier MultiOutputRegressor RegressorChain"
    ),
    "sklearn.naive_bayes": ("BernoulliNB CategoricalNB ComplementNB GaussianNB MultinomialNB"),
    "sklearn.neighbors": (
        "KNeighborsClassifier KNeighborsRegressor KNeighborsTransformer KernelDensity "
        "LocalOutlierFactor NearestCentroid NearestNeighbors "
        "NeighborhoodComponentsAnalysis RadiusNeighborsClassifier "
        "RadiusNeighborsRegressor RadiusNeighborsTransformer"
    ),
    "sklearn.neural_network": ("BernoulliRBM MLPClassifier MLPRegressor"),
    "sklearn.pipeline": ("FeatureUnion Pipeline"),
    "sklearn.preprocessing": (
        "Binarizer FunctionTransformer KBinsDiscretizer KernelCenterer LabelBinarizer "
        "LabelEncoder MaxAbsScaler MinMaxScaler MultiLabelBinarizer Normalizer "
        "OneHotEncoder OrdinalEncoder PolynomialFeatures PowerTransformer "
        "QuantileTransformer RobustScaler SplineTransformer StandardScaler TargetEncoder"
    ),
    "sklearn.random_projection": ("GaussianRandomProjection SparseRandomProjection"),
    "sklearn.semi_supervised": ("LabelPropagation LabelSpreading SelfTrainingClassifier"),
    "sklearn.svm": ("LinearSVC LinearSVR NuSVC NuSVR OneClassSVM SVC SVR"),
    "sklearn.tree": (
        "DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor"
    ),
}

ESTIMATORS: Mapping[str, frozenset[str]] = {
    package: _words(names) for package, names in _ESTIMATORS.items()
}

_LOSSES = _words(
    "AbsoluteError ExponentialLoss HalfBinomialLoss HalfGammaLoss HalfMultinomialLoss "
    "HalfPoissonLoss HalfSquaredError HuberLoss PinballLoss HalfTweedieLoss "
    "HalfTweedieLossIdentity"
)

INTERNALS: Mapping[str, frozenset[str]] = {
    "sklearn._loss.link": _words(
        "HalfLogitLink IdentityLink Interval LogitLink LogLink MultinomialLogit"
    ),
    "sklearn._loss.loss": _LOSSES,
    "sklearn._loss._loss": frozenset(
        {f"Cy{name}" for name in _LOSSES} | {f"__pyx_unpickle_Cy{name}" for name in _LOSSES}
    ),
    "_loss": frozenset(
        {f"Cy{name}" for name in _LOSSES} | {f"__pyx_unpickle_Cy{name}" for name in _LOSSES}
    ),
    "sklearn.calibration": frozenset({"_CalibratedClassifier", "_SigmoidCalibration"}),
    "sklearn.compose._column_transformer": frozenset({"_RemainderColsList"}),
    "sklearn.ensemble._hist_gradient_boosting.binning": frozenset({"_BinMapper"}),
    "sklearn.metrics._scorer": frozenset({"_PassthroughScorer"}),
    "sklearn.model_selection._split": _words(
        "KFold StratifiedKFold GroupKFold ShuffleSplit StratifiedShuffleSplit RepeatedKFold "
        "RepeatedStratifiedKFold TimeSeriesSplit LeaveOneOut"
    ),
    "sklearn.utils._bunch": frozenset({"Bunch"}),
    "sklearn.utils": frozenset({"Bunch"}),
}
"""Building blocks of estimators that are data only."""

NATIVE: Mapping[str, frozenset[str]] = {
    "sklearn.tree._tree": frozenset({"Tree"}),
    "sklearn.ensemble._hist_gradient_boosting.predictor": frozenset({"TreePredictor"}),
    "sklearn.metrics._dist_metrics": _words(
        "EuclideanDistance64 ManhattanDistance64 MinkowskiDistance64 ChebyshevDistance64 newObj"
    ),
    "sklearn.neighbors._kd_tree": frozenset({"KDTree", "KDTree64", "newObj"}),
    "sklearn.neighbors._ball_tree": frozenset({"BallTree", "BallTree64", "newObj"}),
}
"""Native structures whose indices scikit-learn follows unchecked: loaded in a sandbox only."""

_NUMPY_SCALARS = _words(
    "bool bool_ int8 int16 int32 int64 intp longlong uint8 uint16 uint32 uint64 uintp ulonglong "
    "float16 float32 float64 longdouble complex64 complex128 str_ bytes_ object_ datetime64 "
    "timedelta64"
)
_BIT_GENERATORS = frozenset({"MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"})
_SPARSE = frozenset(
    f"{form}_{shape}"
    for form in ("csr", "csc", "coo", "bsr", "lil", "dok", "dia")
    for shape in ("matrix", "array")
)

DATA_TYPES: Mapping[str, frozenset[str]] = {
    "builtins": _words(
        "bool bytearray bytes complex dict float frozenset int list object set slice str tuple "
        "range NoneType"
    ),
    "collections": frozenset({"OrderedDict", "defaultdict", "Counter", "deque"}),
    "numpy": _NUMPY_SCALARS | {"ndarray", "dtype", "nan"},
    "numpy.ma": frozenset({"MaskedArray"}),
    "numpy.ma.core": frozenset({"MaskedArray"}),
    "numpy.random": _BIT_GENERATORS | {"RandomState", "Generator"},
    "numpy.random._generator": frozenset({"Generator"}),
    "numpy.random.mtrand": frozenset({"RandomState"}),
    **{f"numpy.random._{name.lower()}": frozenset({name}) for name in _BIT_GENERATORS},
    "numpy.random.bit_generator": frozenset({"SeedSequence", "__pyx_unpickle_SeedSequence"}),
    "numpy.dtypes": _words(
        "Float32DType Float64DType Int8DType Int16DType Int32DType Int64DType UInt8DType "
        "UInt16DType UInt32DType UInt64DType BoolDType ObjectDType StrDType"
    ),
    **{
        f"scipy.sparse.{module}": _SPARSE
        for module in (
            *("_csr", "_csc", "_coo", "_bsr", "_lil", "_dok", "_dia"),
            *("csr", "csc", "coo", "bsr", "lil", "dok", "dia"),
        )
    },
}
"""Containers, arrays and random states: values only."""

_UFUNCS = _words(
    "abs absolute add cbrt ceil clip cos divide exp exp2 expm1 fabs floor isfinite isinf isnan log "
    "log10 log1p log2 maximum minimum multiply negative power reciprocal rint sign sin sqrt square "
    "subtract tan tanh trunc"
)
FUNCTIONS: Mapping[str, frozenset[str]] = {
    "numpy": _UFUNCS,
    "numpy._core._multiarray_umath": _UFUNCS,
    "numpy.core._multiarray_umath": _UFUNCS,
    "scipy.special": frozenset({"expit", "logit"}),
    "sklearn.feature_selection._univariate_selection": frozenset(
        {"f_classif", "f_regression", "chi2"}
    ),
}
"""Pure functions that an estimator may hold as a setting."""

PICKLE_CONSTRUCTORS: Mapping[str, frozenset[str]] = {
    "copyreg": frozenset({"_reconstructor"}),
    "_codecs": frozenset({"encode"}),
    "numpy.ma.core": frozenset({"_mareconstruct"}),
    "numpy.core.multiarray": frozenset({"_reconstruct", "scalar"}),
    "numpy._core.multiarray": frozenset({"_reconstruct", "scalar"}),
    "numpy.core.numeric": frozenset({"_frombuffer"}),
    "numpy._core.numeric": frozenset({"_frombuffer"}),
    "numpy.random._pickle": frozenset(
        {"__randomstate_ctor", "__generator_ctor", "__bit_generator_ctor"}
    ),
    "joblib.numpy_pickle": frozenset({"NumpyArrayWrapper"}),
}
"""Functions that pickles of arrays and estimators call to build values."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def trust_of_type(module: str, name: str) -> Trust:
    """How far a class may be trusted when a file asks for it by name."""
    if _NAME.match(name) is None:  # a dotted name walks through attributes
        return "unsafe"
    if name in DATA_TYPES.get(module, ()) or name in INTERNALS.get(module, ()):
        return "safe"
    if name in NATIVE.get(module, ()):
        return "allow_listed"
    package = ".".join(module.split(".")[:2])
    if name in ESTIMATORS.get(package, ()):
        return "safe"
    return "unsafe"


def is_trusted_function(module: str, name: str) -> bool:
    """Whether a function may be a setting of an estimator."""
    return name in FUNCTIONS.get(module, ())


def is_trusted_global(module: str, name: str) -> bool:
    """Whether a pickle may name this global at all."""
    module = {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module)
    return (
        trust_of_type(module, name) != "unsafe"
        or is_trusted_function(module, name)
        or name in PICKLE_CONSTRUCTORS.get(module, ())
    )


def public_name(module: str, name: str) -> str:
    """The name under which people know a class: private modules left out.

    `sklearn.linear_model._logistic.LogisticRegression` -> `sklearn.linear_model.LogisticRegression`
    """
    parts = [part for part in module.split(".") if not part.startswith("_")]
    if parts[:1] == ["sklearn"]:
        parts = parts[:2]
    return ".".join([*parts, name])
