# What R packages answer to the tasks of benchmarks/peers: from the data frame (columns unit, year, y,
# first, treated, …) to the estimate and, where it has one, its standard error. The package is attached.

answer <- function(estimate, se = NULL) c(estimate = as.numeric(estimate), se = as.numeric(se))

of_coefficient <- function(fit, variance) answer(coef(fit)["treated"], sqrt(diag(variance))["treated"])

start_of <- function(frame) min(frame$year[frame$treated == 1])

# Two-way fixed effects -------------------------------------------------------------------------------

fixest_twfe <- function(frame) {
  fit <- feols(y ~ treated | unit + year, frame, vcov = ~unit)
  of_coefficient(fit, vcov(fit))
}

fixest_twfe_province <- function(frame) {
  fit <- feols(y ~ treated | unit + year, frame, vcov = ~province)
  of_coefficient(fit, vcov(fit))
}

plm_twfe <- function(frame) {
  fit <- plm(y ~ treated, frame, index = c("unit", "year"), model = "within", effect = "twoways")
  of_coefficient(fit, vcovHC(fit, method = "arellano", type = "sss", cluster = "group"))
}

estimatr_twfe_province <- function(frame) {
  fit <- lm_robust(
    y ~ treated, frame, clusters = province, fixed_effects = ~ unit + year, se_type = "stata"
  )
  of_coefficient(fit, vcov(fit))
}

sandwich_twfe_province <- function(frame) {
  fit <- lm(y ~ treated + factor(unit) + factor(year), frame)
  of_coefficient(fit, vcovCL(fit, cluster = frame$province, type = "HC1"))
}

# CRV2, compared by the p-value with the degrees of freedom of Bell and McCaffrey.
clubsandwich_crv2 <- function(frame) {
  fit <- plm::plm(
    y ~ treated, frame, index = c("unit", "year"), model = "within", effect = "twoways"
  )
  test <- coef_test(fit, vcovCR(fit, cluster = frame$province, type = "CR2"))
  answer(test$p_Satt, test$SE)
}

estimatr_crv2 <- function(frame) {
  fit <- lm_robust(
    y ~ treated, frame, clusters = province, fixed_effects = ~ unit + year, se_type = "CR2"
  )
  answer(fit$p.value, fit$std.error)
}

# Staggered adoption ----------------------------------------------------------------------------------

did_cs <- function(frame, covariates = ~1, draws = 0) {
  fit <- att_gt(
    yname = "y", tname = "year", idname = "unit", gname = "first", xformla = covariates,
    data = frame, control_group = "nevertreated", est_method = "dr",
    bstrap = draws > 0, biters = max(draws, 1), cband = FALSE
  )
  aggte(fit, type = "dynamic", na.rm = TRUE)
  simple <- aggte(fit, type = "simple", na.rm = TRUE)
  answer(simple$overall.att, simple$overall.se)
}

did_cs_covariates <- function(frame) did_cs(frame, ~ x1 + x2)

did_cs_bootstrap <- function(frame) {
  set.seed(1)
  did_cs(frame, ~ x1 + x2, draws = 999)
}

fixest_sun_abraham <- function(frame) {
  fit <- feols(y ~ sunab(first, year) | unit + year, frame, vcov = ~unit)
  table <- coeftable(summary(fit, agg = "att"))
  answer(table["ATT", "Estimate"], table["ATT", "Std. Error"])
}

didimputation_imputation <- function(frame) {
  row <- did_imputation(frame, yname = "y", gname = "first", tname = "year", idname = "unit")
  answer(row$estimate, row$std.error)
}

fect_imputation <- function(frame) {
  fit <- fect(
    y ~ treated, data = frame, index = c("unit", "year"), method = "fe", force = "two-way", r = 0,
    CV = FALSE, se = FALSE
  )
  answer(fit$att.avg)
}

etwfe_fit <- function(frame) {
  fit <- etwfe(y ~ 0, tvar = year, gvar = first, data = frame, vcov = ~unit)
  row <- emfx(fit, type = "simple")
  answer(row$estimate, row$std.error)
}

# Few treated clusters, departures from parallel trends -----------------------------------------------

fwildclusterboot_wild <- function(frame) {
  dqrng::dqset.seed(1)
  fit <- fixest::feols(y ~ treated | unit + year, frame)
  test <- boottest(fit, param = "treated", clustid = "province", B = 9999, conf_int = FALSE)
  answer(test$p_val)
}

honestdid_relative_magnitudes <- function(data) {
  size <- length(data[[1]])
  table <- createSensitivityResults_relativeMagnitudes(
    betahat = data[[1]], sigma = matrix(data[[2]], size, size),
    numPrePeriods = data[[3]], numPostPeriods = data[[4]], Mbarvec = c(0.5, 1, 1.5, 2)
  )
  answer(table$lb[2])
}

# Synthetic controls ----------------------------------------------------------------------------------

synthdid_placebos <- function(frame) {
  set.seed(1)
  setup <- panel.matrices(frame, "unit", "year", "y", "treated")
  fit <- synthdid_estimate(setup$Y, setup$N0, setup$T0)
  answer(fit, sqrt(vcov(fit, method = "placebo", replications = 200)))
}

augsynth_ridge <- function(frame) {
  fit <- augsynth(y ~ treated, unit, year, data = frame, progfunc = "ridge", scm = TRUE)
  gap <- predict(fit, att = TRUE)
  answer(mean(gap[as.numeric(names(gap)) >= start_of(frame)]))
}

scpi_intervals <- function(frame) {
  set.seed(1)
  start <- start_of(frame)
  years <- unique(frame$year)
  treated <- frame$unit[frame$treated == 1][1]
  data <- scdata(
    df = frame, id.var = "unit", time.var = "year", outcome.var = "y",
    period.pre = years[years < start], period.post = years[years >= start],
    unit.tr = treated, unit.co = setdiff(unique(frame$unit), treated), verbose = FALSE
  )
  simplex <- list(name = "simplex", Q = 1)
  fit <- scpi(data, w.constr = simplex, sims = 200, cores = 1, verbose = FALSE)
  answer(mean(data$Y.post - fit$est.results$Y.post.fit))
}

synth_data <- function(frame, treated, predictors = NULL) {
  before <- seq(min(frame$year), start_of(frame) - 1)
  frame$number <- as.integer(factor(frame$unit))
  each_year <- if (is.null(predictors)) lapply(before, function(year) list("y", year, "mean"))
  dataprep(
    foo = frame, predictors = predictors, predictors.op = "mean", time.predictors.prior = before,
    special.predictors = each_year, dependent = "y", unit.variable = "number",
    unit.names.variable = "unit", time.variable = "year", treatment.identifier = treated,
    controls.identifier = setdiff(frame$number, c(1, treated)), time.optimize.ssr = before,
    time.plot = unique(frame$year)
  )
}

synth_search <- function(frame) {
  answer(synth(synth_data(frame, 1, paste0("p", 0:12)))$loss.v)
}

# Each unit but the treated one, the first, takes its place in turn. synth divides predictors by their
# standard deviations over the units: weighted by the variances, all years count the same.
synth_placebos <- function(frame) {
  before <- start_of(frame) - min(frame$year)
  effects <- vapply(seq_along(unique(frame$unit)), function(unit) {
    data <- synth_data(frame, unit)
    fit <- synth(data, custom.v = apply(cbind(data$X0, data$X1), 1, var))
    mean((data$Y1plot - data$Y0plot %*% fit$solution.w)[-seq_len(before)])
  }, 0)
  answer(effects[1])
}

# The same without a package for synthetic controls; solve.QP wants positive definite matrices.
quadprog_placebos <- function(frame) {
  y <- tapply(frame$y, list(frame$year, frame$unit), sum)
  before <- seq_len(start_of(frame) - min(frame$year))
  effects <- vapply(seq_len(ncol(y)), function(unit) {
    gaps <- y[, unit] - y[, -c(1, unit)]
    square <- crossprod(gaps[before, ])
    size <- ncol(square)
    definite <- square + 1e-8 * max(square) * diag(size)
    constraints <- cbind(1, diag(size))
    fit <- solve.QP(definite, numeric(size), constraints, c(1, numeric(size)), meq = 1)
    mean((gaps %*% fit$solution)[-before])
  }, 0)
  answer(effects[1])
}
