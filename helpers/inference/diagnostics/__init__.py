"""Checks of a posterior: is the truth found, is the stated uncertainty right, can the model give such data at all.

trials                 truths from the prior and posterior draws for each: what the next two work on
recovery               is the truth found, was anything learned
calibration            SBC, coverage, TARP; the local test at one observation
local_calibration      the same near one observation, for amortised posteriors and for rounds
combinations           which combinations of parameters are known well, and which are not
agreement              a reference by two methods that share no assumption, compared
c2st                   how well two sets of samples can be told apart
predictive             do draws from the posterior spike as observed
spike_trains           spike counts, spike times and intervals compared with observed ones
misspecification       can the model give such data with any parameters
statistic_information  what each summary statistic knows about each parameter
correlations           what two parameters do for each other while all others are fixed
"""
