# Time and memory of one R package on one task, in a process of its own:
# Rscript measure.R CONTENDERS FOLDER RESULT PACKAGE FUNCTION MOST_RUNS LONGEST TOO_SLOW
# The first call, which attaches the package, apart; then as many runs as fit into LONGEST seconds, at
# most MOST_RUNS, and none after a first call longer than TOO_SLOW. R counts processor time in
# milliseconds, so that short calls are timed several at a time.

SHORTEST <- 0.1

read_column <- function(file) {
  kind <- tools::file_ext(file)
  if (kind == "text") return(readLines(file, encoding = "UTF-8"))
  readBin(file, kind, n = file.size(file) / c(integer = 4, double = 8)[[kind]], endian = "little")
}

read_data <- function(folder) {
  files <- readLines(file.path(folder, "columns"))
  columns <- lapply(file.path(folder, files), read_column)
  names(columns) <- tools::file_path_sans_ext(files)
  if (length(unique(lengths(columns))) == 1) as.data.frame(columns) else columns
}

processor <- function() sum(proc.time()[c(1, 2, 4, 5)])

timed <- function(call, times = 1) {
  gc()
  used <- processor()
  start <- Sys.time()
  for (i in seq_len(times)) answer <- call()
  wall <- as.numeric(Sys.time() - start, units = "secs")
  list(answer = answer, wall = wall / times, processor = (processor() - used) / times)
}

# Largest resident memory in MB since the last reset, on Linux; elsewhere zero.
peak <- function(reset = FALSE) {
  status <- "/proc/self/status"
  if (!file.exists(status)) return(0)
  if (reset) cat("5", file = "/proc/self/clear_refs")
  line <- grep("^VmHWM", readLines(status), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) * 1024 / 1e6
}

json <- function(values, keys = names(values)) {
  paste0("{", paste0('"', keys, '": ', values, collapse = ", "), "}")
}

number <- function(value) if (is.null(value)) "null" else sprintf("%.17g", value)

measure <- function(contenders, folder, result, package, name, most_runs, longest, too_slow) {
  source(contenders)
  contender <- get(name)
  data <- read_data(folder)
  gc()
  before <- peak(reset = TRUE)
  first <- timed(function() {
    library(package, character.only = TRUE)
    contender(data)
  })
  call <- function() contender(data)
  runs <- list()
  if (first$wall <= too_slow) {
    runs <- list(timed(call))
    times <- ceiling(SHORTEST / max(runs[[1]]$processor, 1e-3))
    if (times > 1) runs <- list(timed(call, times))
    walls <- runs[[1]]$wall
    while (length(walls) < most_runs && times * (sum(walls) + walls[length(walls)]) < longest) {
      runs[[length(runs) + 1]] <- timed(call, times)
      walls <- vapply(runs, `[[`, 0, "wall")
    }
  }
  answer <- if (length(runs)) runs[[length(runs)]]$answer else first$answer
  versions <- c(as.character(getRversion()), as.character(packageVersion(package)))
  names(versions) <- c("R", paste("R", package))
  fields <- c(
    versions = json(sprintf('"%s"', versions), names(versions)),
    first = number(first$wall),
    seconds = number(if (length(runs)) median(walls)),
    processor = number(
      if (length(runs)) min(vapply(runs, `[[`, 0, "processor")) else first$processor
    ),
    runs = length(runs),
    peak = number(peak() - before),
    answer = json(vapply(answer, number, ""))
  )
  writeLines(json(fields), result)
}

arguments <- as.list(commandArgs(trailingOnly = TRUE))
arguments[6:8] <- lapply(arguments[6:8], as.numeric)
tryCatch(suppressWarnings(suppressMessages(do.call(measure, arguments))), error = function(error) {
  message(gsub("\\s+", " ", conditionMessage(error)))
  quit(status = 1)
})
