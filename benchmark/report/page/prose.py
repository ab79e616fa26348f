"""What the report says in words, whatever the numbers are: how they are made, and what each plot shows."""

METHODS = (
    "Scores are computed per test case and class on whole images at their original size. A case's score is its mean "
    "over classes; means are taken over cases first, then over seeds; ± is the standard deviation over seeds.",
    "The 95 % interval comes from a bootstrap of whole groups of cases (cases of one patient, plate or slide stay "
    "together), its percentiles expanded for few groups (Hesterberg 2015, doi:10.1080/00031305.2015.1089789), and from "
    "Student's t over seeds. With one seed it covers the cases only: the mean of these trained networks. In "
    "simulations with skewed scores it held the mean 93 to 97 % of the time with five or more seeds and ten or more "
    "groups, and down to 91 % with fewer groups; with two or three seeds it is cautious, up to 99 % (docs/numbers.md).",
    "Ranks come from paired sign-flip tests on the same cases, flipped by group, with the variance between seeds "
    "added, corrected after Holm at 5 %. A rank is the range of places that these tests leave open; configurations "
    "that were not shown to differ share a rank (Demšar 2006; Maier-Hein et al. 2018, doi:10.1038/s41467-018-07619-7; "
    "Mogstad et al. 2024, doi:10.1093/restud/rdad006).",
    "MACs are multiply-accumulate operations of one forward pass; one MAC is two floating-point operations. Parameters "
    "are the trainable ones. Latency is measured call by call after a warm-up; the samples of all seeds are pooled.",
    "A training step is read from before its batch is made until its loss is in host memory: augmentation, transfer, "
    "forward, backward and update. The first one, with tracing and compilation, stands apart; validation is in none. "
    "The peak of the process is its largest resident memory while it trained, that of a GPU what arrays took there.",
    "Roofline (Williams et al. 2009, doi:10.1145/1498765.1498785): attainable is the smaller of the machine's "
    "convolution peak and intensity × bandwidth of a copy, both measured there with the same framework and precision; "
    "a MAC is two FLOP. Intensity counts each input, output and weight of a layer once, activations and "
    "normalisations as part of the layer before, so it is the most that there can be: what is bound by memory here "
    "surely is.",
    "Mismatch is the mean range of the probabilities that overlapping prediction windows give a pixel. Where a "
    "normalisation takes its statistics from the window (instance, group) it makes tile seams (Buglakova et al. 2025, "
    "arXiv:2503.19545); elsewhere it is what padding does at the windows' borders.",
    "A trial has collapsed (†) when a class is predicted nowhere on 95 % of the cases that have it, or everywhere on "
    "95 % of all cases, or has a mean Dice below 0.05. Its scores stay in the means.",
)

CAPTIONS = {
    "critical": "Mean ranks over data sets, the best on the left. A bar joins configurations of which no two are shown "
    "to differ by signed-rank tests corrected after Holm; a pair that is not shown to differ although a third one "
    "between them differs from one of both has no bar. The grey length is Nemenyi's critical difference, for "
    "comparison with other papers.",
    "profiles": "The share of test cases, averaged over seeds, whose Dice is above each value; the best rows, as many "
    "as there are colours. A line that lies above another one everywhere is better at every level; lines that cross "
    "are better on different cases (Agarwal et al. 2021, arXiv:2108.13264).",
    "matrix": "Mean test Dice with its 95 % interval, by the modalities that networks were trained with (rows) and "
    "that test cases had (columns); bold where these had all that the network was trained with. What is missing is 0; "
    "a network that was trained with others gets what there is in their place.",
    "annotation": "Mean test Dice over the minutes that the training labels take to draw, by published times on "
    "photographs; hollow points are weaker labels, filled ones full masks, the dashed line the best of these. A colour "
    "is a model, a marker a loss, bars are 95 % intervals of the mean.",
    "methods": "Mean gain in Dice on the trivial method with the same model and drawn labels, with its 95 % interval "
    "over groups of cases; a colour and marker a data set. Right of the line a method is better.",
    "matrices": "Mean Dice of the test cases of each batch (columns, in the order of arrival) after each stage (rows), "
    "the mean over orders and seeds. On the diagonal, bold, a batch has just been learnt; below it lies what is left "
    "of earlier ones, above it what is known of batches that have not arrived.",
    "gain": "Mean gain in Dice with its 95 % interval, over the member with the highest validation Dice and over the "
    "single network with the highest among those that are no slower. Right of the line the ensemble is better.",
    "intervals": "Results of publications, not run here, by data set and with the interval that the table states or "
    "that was reconstructed from it. Rows of different publications, and those of this sweep, cannot be compared.",
    "cases": "One point a test case, averaged over seeds. Boxes hold the middle half with the median, whiskers reach "
    "to the last case within 1.5 box lengths, the white diamond is the mean. The best mean stands on top, a row "
    "without a defined score last.",
    "heatmap": "Mean over test cases, then over seeds, ± standard deviation over seeds. † contains a collapsed trial.",
    "latency": "Vertical bars: 95 % interval of the mean. Horizontal bars: 5th to 95th percentile of the samples. The "
    "loss does not change a model's latency, so all trials of a model share their samples here, and its points are "
    "moved apart a little only to tell their bars. Filled points form the Pareto front of the means: none is both "
    "faster and better. Points whose bars overlap need not differ.",
    "roofline": "Work done a second over its arithmetic intensity. The line is what the machine allows: rising with "
    "the bandwidth of memory, level at the peak of a convolution. Open points are bound by memory. How far a point "
    "lies below the line is what its runtime loses elsewhere: in small layers, in reading more than once, in calls.",
    "curves": "One thin line a seed; the dot is the epoch that was selected. Training losses of different kinds have "
    "different scales.",
    "images": "The best configuration of up to three models, each with the seed whose mean Dice is in the middle. "
    "Colours are laid over the grey image; the number is the Dice of the whole case, of which a volume shows the plane "
    "with the most truth.",
    "front": "Mean test Dice over latency, a pane a machine and number of threads. A colour is a model, a marker a "
    "runtime. Filled: the file agrees with Keras float32; hollow and crossed: it does not, or its training collapsed. "
    "Vertical bars: 95 % interval of the mean. Horizontal bars: 5th to 95th percentile of the calls. The dashed line "
    "is the Pareto front of those that agree; a ring marks what is recommended, which validation cases chose. Of "
    "several losses each model's best by validation stands for it. Bars may reach beyond the axes; points whose bars "
    "overlap need not differ.",
}
