import type { Command } from 'commander'
import { BlvitError, messageAbout } from '../../base/blvit-error.js'
import type { Merged } from '../../tasks/node/merge-parts.js'
import { type CliContext, endWith } from '../context.js'

interface Flags {
  readonly output?: string
  readonly perImage?: string
  readonly json?: boolean
}

/** `blvit merge` */
export function mergeCommand(program: Command, context: CliContext): void {
  program
    .command('merge')
    .description('Put the parts of classify, embed or eval together, to what one process would have printed.')
    .argument(
      '<parts...>',
      'what --shard and --part of one of these commands wrote: all shards, in any order',
    )
    .option('-o, --output <file>', 'of embed: where to write the vectors: .npy, .jsonl or .csv')
    .option('--per-image <file.csv>', 'of eval: write what the model said of each picture')
    .option('--json', 'as the --json of the command that made the parts')
    .addHelpText(
      'after',
      `
Parts that are missing, there twice, unfinished, or of another model, other pictures or other options are named.
Times are those of the processes that did the work; those of an evaluation are added up.

Examples:
  blvit classify photos/ --shard 0/2 --part 0.part     on one machine
  blvit classify photos/ --shard 1/2 --part 1.part     on another
  blvit merge 0.part 1.part --json
  blvit merge 'parts/*.part' --per-image answers.csv`,
    )
    .action((patterns: string[], flags: Flags) => merge(patterns, flags, context))
}

async function merge(patterns: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const { output, perImage } = flags
  const { assertEnding, assertNotInput, checkWritable } = await import('../../files/output-files.js')
  const { existingPaths } = await import('../../data/find-files.js')
  if (perImage !== undefined) assertEnding('--per-image', perImage, '.csv')
  const outputs = [...(output === undefined ? [] : await pathsOf(output)), ...(perImage ? [perImage] : [])]
  for (const path of outputs) await checkWritable(path)
  const parts = (await Promise.all(patterns.map(existingPaths))).flat()
  for (const path of outputs) await assertNotInput(path, parts)
  const { mergeParts } = await import('../../tasks/node/merge-parts.js')
  const merged = await mergeParts(parts)
  checkFlags(merged, flags)
  await printMerged(merged, flags, context)
}

async function pathsOf(output: string): Promise<readonly string[]> {
  const { embeddingFormatOf } = await import('../../tasks/node/embed/embedding-formats.js')
  return embeddingFormatOf(output).paths(output)
}

/** @throws BlvitError `BAD_OPTION` for options of another command than that of the parts */
function checkFlags({ of }: Merged, { output, perImage }: Flags): void {
  if (of === 'embed' && output === undefined)
    throw new BlvitError('BAD_OPTION', 'These are parts of embed: name the file to write with -o.')
  if (of !== 'embed' && output !== undefined)
    throw new BlvitError('BAD_OPTION', `-o is for parts of embed, and these are of ${of}.`)
  if (of !== 'eval' && perImage !== undefined)
    throw new BlvitError('BAD_OPTION', `--per-image is for parts of eval, and these are of ${of}.`)
}

async function printMerged(merged: Merged, flags: Flags, context: CliContext): Promise<void> {
  const { json, output = '' } = flags
  if (merged.of === 'classify') {
    const { printClassification } = await import('../classification-report.js')
    const { results, scores } = merged
    for (const result of results) await printClassification(result, { json, scores }, context)
    const failures = results.filter((result) => 'error' in result).length
    endWith(context, { failures, of: results.length })
  } else if (merged.of === 'embed') {
    const { writeEmbeddings } = await import('../embeddings-output.js')
    const { pictures } = merged
    const failed = pictures.flatMap((picture) => ('error' in picture ? [picture] : []))
    for (const { name, error } of failed) context.note(`error: ${messageAbout(name, error.message)}`)
    await writeEmbeddings(pictures, { output, json, failures: failed.length }, context)
    endWith(context, { failures: failed.length, of: pictures.length })
  } else {
    const { failureTeller, printEvaluation } = await import('../evaluation-report.js')
    const { evaluation, outcomes, report } = merged
    const { model, teacher, teacherSetting, data, labels } = report
    outcomes.forEach(failureTeller(context.note))
    const names = { model, teacher, teacherSetting, data }
    await printEvaluation({ evaluation, outcomes, names, labels }, flags, context)
    endWith(context, { failures: evaluation.failures.length, of: evaluation.pictures })
  }
}
