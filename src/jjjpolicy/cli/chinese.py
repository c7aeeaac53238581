"""What commands say, in Chinese: by the English words, paragraph by paragraph."""

from __future__ import annotations

CHINESE = {
    # Of every command
    "Policy evaluation with few treated regions: estimate, reproduce, verify, trace.": (
        "处理地区很少时的政策评估：估计、复现、核验、追溯。"
    ),
    "Exit codes: 0 done, nothing differs; 1 error; 2 wrong usage; 3 differences found "
    "(verify, diff); 130 interrupted.": (
        "退出码：0 完成且无差异；1 出错；2 用法有误；3 发现差异（verify、diff）；130 被中断。"
    ),
    "Show where in the code an error arose.": "显示错误出在代码的何处。",
    "Language of help, messages and figures: en or zh; by default that of the locale.": (
        "帮助、提示和图形所用的语言：en 或 zh；默认随系统语言。"
    ),
    "Install completion for the current shell.": "为当前 shell 安装自动补全。",
    "Show completion for the current shell, to copy it or customize the installation.": (
        "显示当前 shell 的自动补全脚本，以便复制或自行安装。"
    ),
    "Arguments": "参数",
    "Options": "选项",
    "Commands": "命令",
    "Error": "错误",
    "Aborted.": "已中止。",
    "[default: {}]": "[默认：{}]",
    "[required]": "[必填]",
    "Try [blue]'{command_path} {help_option}'[/] for help.": (
        "用 [blue]'{command_path} {help_option}'[/] 查看帮助。"
    ),
    "Error: {message}": "错误：{message}",
    "Note: {note}": "注意：{note}",
    "Interrupted. Run the command again; it goes on from there.": (
        "已中断。再次运行同一命令，即从中断处继续。"
    ),
    "{error}. This was not foreseen; see it with --debug.": (
        "{error}。这一错误未曾预料到；加 --debug 可查看详情。"
    ),
    "Print JSON.": "输出 JSON。",
    "Worker processes.": "工作进程数。",
    "en or zh.": "en 或 zh。",
    # estimate, methods, advise
    "Estimate an effect from a panel of your own: summary, and with --output table and figure.": (
        "用自己的面板数据估计处理效应：输出摘要；加 --output 时另存表格和图形。"
    ),
    "CSV, TSV, Parquet, Stata (.dta) or Excel (.xlsx).": (
        "数据文件：CSV、TSV、Parquet、Stata（.dta）或 Excel（.xlsx）。"
    ),
    "Column of periods: years, dates, 2019Q4, …": "时期所在的列：年份、日期、2019Q4 等。",
    "Column of the outcome.": "结果变量所在的列。",
    "Column of units; none for repeated cross-sections.": "个体所在的列；重复截面数据不填。",
    "Column of 0 and 1.": "处理变量所在的列，取值为 0 和 1。",
    "Column of the first treated period; 0 or empty: never.": (
        "首个处理时期所在的列；0 或空值表示从未受处理。"
    ),
    "Estimator; see: jjjpolicy methods.": "估计方法；见 jjjpolicy methods。",
    "Inference method; see: jjjpolicy methods.": "推断方法；见 jjjpolicy methods。",
    "Option of the estimator, key=value; repeatable.": "估计方法的选项，写作 键=值；可重复。",
    "Option of the inference, key=value; repeatable.": "推断方法的选项，写作 键=值；可重复。",
    "Column; repeatable.": "协变量所在的列；可重复。",
    "Column of weights.": "权重所在的列。",
    "Column of the level at which treatment was assigned.": "处理分配层级所在的列。",
    "Unit to leave out; repeatable.": "要剔除的个体；可重复。",
    "First and last period to use.": "样本的首个和最后一个时期。",
    "Sheet of an Excel file.": "Excel 文件的工作表。",
    "Of the summary and the figure: en or zh.": "摘要和图形的语言：en 或 zh。",
    "Directory for table, figure and numbers.": "存放表格、图形和数值的目录。",
    "Note: few units are treated; errors that count on many are too small. Compare "
    "--inference RandomizationInference.": (
        "注意：受处理的个体很少，依赖大量处理个体的标准误会偏小。"
        "请与 --inference RandomizationInference 的结果比较。"
    ),
    "Note: few units are treated; errors that count on many are too small. Compare "
    "--inference RandomizationInference; jjjpolicy advise says more.": (
        "注意：受处理的个体很少，依赖大量处理个体的标准误会偏小。"
        "请与 --inference RandomizationInference 的结果比较；详见 jjjpolicy advise。"
    ),
    "Written to {folder}/: table, figure, effects and numbers.": (
        "已写入 {folder}/：表格、图形、各期效应和数值。"
    ),
    "List the estimators and inference methods with their options.": (
        "列出各估计方法和推断方法及其选项。"
    ),
    "Say before estimating which methods to trust, what to report and what cannot be had.": (
        "在估计之前说明：哪些方法可信，应当报告什么，什么是得不到的。"
    ),
    "Try the methods on your own untreated groups.": "在自己数据中未受处理的组上试验各种方法。",
    "Pseudo-policies for each method, with --calibrate.": (
        "每种方法的伪政策个数，与 --calibrate 合用。"
    ),
    "Of the sampled pseudo-policies.": "抽取伪政策所用的随机种子。",
    # data
    "The bundled data: list, show, check, vintages.": "自带数据：列出、显示、核查、口径。",
    "provinces, cities, counties, lights or major_cities.": (
        "provinces（省份）、cities（城市）、counties（县区）、lights（夜间灯光）"
        "或 major_cities（主要城市）。"
    ),
    "List the variables: label, unit of measure, vintage, years, source.": (
        "列出变量：名称、计量单位、口径、年份、来源。"
    ),
    "Show values of a panel, one row per region and year.": (
        "显示面板数据的数值，每个地区每年一行。"
    ),
    "Variable; repeatable.": "变量；可重复。",
    "See: jjjpolicy data vintages.": "数据口径；见 jjjpolicy data vintages。",
    "Region code; repeatable.": "行政区划代码；可重复。",
    "First and last year.": "起止年份。",
    "Write a CSV file instead.": "改为写入 CSV 文件。",
    "Check every data file against the dictionary, under every vintage.": (
        "按数据字典核查每个数据文件的每种口径。"
    ),
    "Exit code 0: sound; 1: a row breaks a rule, which is named.": (
        "退出码：0 无误；1 有数据行违反规则，并指明该规则。"
    ),
    "List the vintages of product and of night lights, the years they cover and what they are.": (
        "列出地区生产总值和夜间灯光的各种口径、覆盖年份及其含义。"
    ),
    # reproduce, verify, trace, diff
    "Build every table, figure and the paper that is out of date.": (
        "重新生成所有过时的表格、图形和论文。"
    ),
    "A number that differs from the committed one by rounding noise alone stays as it is, so that "
    "another processor changes no file.": (
        "与已提交的数值仅有舍入误差之别时，保留原值，因此换一种处理器不会改动任何文件。"
    ),
    "Artefacts (table:effects), ids or scripts; everything if none.": (
        "图表（如 table:effects）、编号或脚本；不填则为全部。"
    ),
    "Scripts run at the same time.": "同时运行的脚本数。",
    "Run what is up to date as well.": "未过时的也重新运行。",
    "Print running times anew in the README's table of results.": (
        "更新 README 结果对照表中的运行时间。"
    ),
    "Made: {names}. The results are in paper/.": "已生成：{names}。结果在 paper/。",
    "Everything is up to date; nothing was done.": "全部结果均为最新，无须重做。",
    "{source} says what the results no longer do: {statement}.": (
        "{source} 的表述与现有结果不再相符：{statement}。"
    ),
    "Rebuild the results in a temporary place and compare them with the committed ones.": (
        "在临时位置重新生成结果，并与已提交的结果比较。"
    ),
    "Every number, table and figure is compared, and every file with the hash in its provenance; "
    "without names also the paper in every format and language and the results browser. What "
    "differs is listed with its size and likely cause: data, specification, code of the package, "
    "version, platform, or a file that was edited by hand. Rounding noise is no difference. "
    "Nothing in the study is changed.": (
        "比较每个数值、每张表和图，并按来源记录中的哈希值核对每个文件；不指定名称时，"
        "还比较各种格式和语言的论文以及结果浏览页。逐项列出差异的大小和可能的原因：数据、设定、"
        "软件包代码、版本、平台，或文件经人工修改。舍入误差不算差异。研究目录不会被改动。"
    ),
    "Exit code 0: nothing differs; 3: something does; 1: a script failed.": (
        "退出码：0 无差异；3 有差异；1 某个脚本运行失败。"
    ),
    "Relative tolerance; by default 0 on the same platform, else 1e-6.": (
        "相对容差；同一平台默认为 0，否则为 1e-6。"
    ),
    "Run the scripts as on another processor: baseline, haswell, skylakex.": (
        "模拟另一种处理器运行脚本：baseline、haswell、skylakex。"
    ),
    "Show every difference.": "显示全部差异。",
    "Follow a number back: where it is printed, its estimate, specification, data and script.": (
        "由一个数字向前追溯：它印在何处，来自哪个估计、哪种设定、哪些数据和哪个脚本。"
    ),
    "effects:log_gdp/tianjin/did/att, table:effects, table:effects[2,1], figure:paths or "
    "paper.md:64.": (
        "形如 effects:log_gdp/tianjin/did/att、table:effects、table:effects[2,1]、"
        "figure:paths 或 paper.md:64。"
    ),
    "Data rows to show.": "显示的数据行数。",
    "Show which estimates moved between two states of the results, and which conclusions "
    "changed.": "显示两个版本的结果之间哪些估计值变了，哪些结论变了。",
    "Moves are in standard errors of the estimate before, and as a share of its 95% interval. A "
    "conclusion changes with the sign, or when a p-value crosses 5%. For two data vintages the "
    "paper's designs are estimated under each, over the years that both cover.": (
        "变动以原估计值的标准误为单位，并给出占其 95% 置信区间的比例。符号改变，或 p 值越过 5%，"
        "即视为结论改变。比较两种数据口径时，论文中的各设计在两种口径共有的年份上分别估计。"
    ),
    "Exit code 0: nothing moved; 3: something did.": "退出码：0 无变动；3 有变动。",
    "Commit, folder or vintage.": "提交、目录或数据口径。",
    "The same; the study as it stands if not given.": "同上；不填则为当前的研究目录。",
    "Processes, for vintages.": "进程数，用于比较数据口径。",
    "Show every change.": "显示全部变动。",
    # calibrate, new-study, package
    "Try every estimator and inference on pseudo-policies: which keep their size, and their "
    "power.": "在伪政策上试验各种估计方法和推断方法：哪些能保持检验水平，功效如何。",
    "Pseudo-policies treat provinces that no policy treated. Interrupted, the same command goes "
    "on where it was.": "伪政策以未受政策影响的省份为处理对象。中断后再次运行同一命令即可继续。",
    "Variable of the provincial panel; repeatable.": "省级面板数据的变量；可重复。",
    "See: jjjpolicy methods; repeatable; default: eight that fit quickly.": (
        "见 jjjpolicy methods；可重复；默认为八种较快的方法。"
    ),
    "A name as in size.csv; repeatable; default: all that give a p-value.": (
        "size.csv 中的名称；可重复；默认为所有能给出 p 值的方法。"
    ),
    "Its provinces are left out; its date is tried.": "该政策覆盖的省份予以剔除，并采用其日期。",
    "Of the provincial panel.": "省级面板数据的口径。",
    "Pseudo-date; repeatable; default: the policy's.": "伪政策的年份；可重复；默认为该政策的年份。",
    "Number of treated provinces; default 1 and 3.": "处理省份的个数；默认为 1 和 3。",
    "Effect to add, in units of the outcome, for power; repeatable.": (
        "为计算功效而加入的效应，以结果变量的单位计；可重复。"
    ),
    "Pseudo-policies of each kind.": "每一类伪政策的个数。",
    "Of these, with effects.": "其中加入效应的个数。",
    "Directory for the tables, and for what is done so far.": "存放表格和已完成部分的目录。",
    "Make a study to start from: data, a script, a test, a paper, README and Makefile.": (
        "新建一个可在其上开展工作的研究项目：数据、脚本、测试、论文、README 和 Makefile。"
    ),
    "It runs as it is, on simulated data: cd NAME, jjjpolicy reproduce, jjjpolicy verify.": (
        "该项目以模拟数据即可直接运行：cd NAME、jjjpolicy reproduce、jjjpolicy verify。"
    ),
    "Directory to make, such as tax-holiday.": "要新建的目录，如 tax-holiday。",
    "Made {name}/ with {number} files. Next: cd {name} && jjjpolicy reproduce": (
        "已新建 {name}/，共 {number} 个文件。下一步：cd {name} && jjjpolicy reproduce"
    ),
    "Pack data, code, results and paper with README and checksums, for a journal's data editor.": (
        "把数据、代码、结果和论文连同 README 与校验和打包，供期刊数据编辑使用。"
    ),
    "The README follows the template of the Social Science Data Editors (AEA and others). The "
    "results have to be complete: run jjjpolicy reproduce first.": (
        "README 采用社会科学数据编辑（AEA 等）的模板。结果须完整：请先运行 jjjpolicy reproduce。"
    ),
    "Where to write the archive; dist/ by default.": "压缩包的存放位置；默认为 dist/。",
}
