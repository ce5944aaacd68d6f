import type { Command } from 'commander'
import { visible } from '../../base/visible-text.js'
import type { OpenedPicture } from '../../tasks/node/segment/segment-file.js'
import type { Answered } from '../../tasks/segment/mask-json.js'
import type { Segmenter } from '../../tasks/segment/segmenter.js'
import { type CliContext, readStandardInput } from '../context.js'
import { loadOptions, withEngineOptions } from '../model-options.js'
import { positiveInteger, probability } from '../option-values.js'
import { stageProgress } from '../progress.js'
import type { NamedAnswer } from '../segment-files.js'
import { box, checkFlags, layers, point, type SegmentFlags } from '../segment-flags.js'
import { settingsFrom, withSettings } from '../setting-options.js'

/** `blvit segment` */
export function segmentCommand(program: Command, context: CliContext): void {
  const command = withEngineOptions(
    program
      .command('segment')
      .description('Cut out what points, boxes and masks mean on a picture, or everything that is on it.')
      .argument('<picture>', 'a file, a URL, or - for standard input')
      .requiredOption(
        '-m, --model <model>',
        'a Segment Anything model: a folder or a Hugging Face id (owner/name)',
      ),
  )
  withSettings(command)
    .option(
      '--point <x,y[:0]>',
      'a pixel of the object; with :0 one of what is not part of it; again for more',
      point,
    )
    .option(
      '--box <x0,y0,x1,y1>',
      'a box around the object: left, top, right, bottom; several are several objects',
      box,
    )
    .option('--mask <file>', 'an earlier mask of the object, white on black, of the size of the picture')
    .option('--each', 'every point and every box is an object of its own')
    .option(
      '--multimask',
      'three masks for each object, the best first: a click may mean a shirt or who wears it',
    )
    .option('--everything', 'masks of all objects, by a grid of points')
    .option('--points-per-side <n>', 'of the grid of --everything (default: 32)', positiveInteger)
    .option(
      '--min-iou <share>',
      'of --everything: masks that are predicted to overlap an object less are left out (default: 0.88)',
      probability,
    )
    .option(
      '--min-stability <share>',
      'of --everything: masks that depend more on their threshold are left out (default: 0.95)',
      probability,
    )
    .option(
      '--crop-layers <n>',
      'of --everything: looks at 2 × 2, 4 × 4, … crops too, each an encoding (default: 0)',
      layers,
    )
    .option(
      '--min-area <pixels>',
      'of --everything: fills smaller holes and removes smaller islands',
      positiveInteger,
    )
    .option(
      '-o, --output <file.png>',
      'the mask, white on black; of several, mask-1.png and so on; of --everything, all in colours',
    )
    .option('--cutout <file.png>', 'what the best masks mean, on a transparent background')
    .option('--overlay <file.png>', 'the picture with the best masks in colours')
    .option(
      '--embedding <file.npy>',
      'what the picture was encoded as, from --save-embedding, in place of encoding it',
    )
    .option('--save-embedding <file.npy>', 'keeps what the picture was encoded as')
    .option('--json', 'masks as run lengths and polygons, on standard output; of --everything in COCO’s form')
    .addHelpText(
      'after',
      `
The picture is encoded once, however many objects are asked for. Points and one box together mean one object. Without
--multimask one click is answered by the best of three masks, more than that by the one mask that the model makes of it.

Examples:
  blvit segment photo.jpg -m my-sam --point 210,140 -o mask.png
  blvit segment photo.jpg -m my-sam --point 210,140 --point 300,80:0 --box 10,10,320,180 --cutout object.png
  blvit segment photo.jpg -m my-sam --box 10,10,90,90 --box 120,20,200,80 --json
  blvit segment photo.jpg -m my-sam --point 210,140 --mask mask.png --save-embedding photo.npy -o better.png
  blvit segment photo.jpg -m my-sam --everything -o masks.png --json > masks.json
  blvit segment photo.jpg -m my-sam --reduce evit:0.5 --point 210,140 -o mask.png`,
    )
    .action((picture: string, flags: SegmentFlags) => segment(picture, flags, context))
}

async function segment(argument: string, flags: SegmentFlags, context: CliContext): Promise<void> {
  checkFlags(flags)
  const { checkOutputs } = await import('../segment-files.js')
  await checkOutputs({ picture: argument, flags })
  const { loadSegmenter } = await import('../../tasks/node/segment/load-segmenter.js')
  const { openPicture, writeEmbedding } = await import('../../tasks/node/segment/segment-file.js')
  const source = argument === '-' ? await readStandardInput() : argument
  const { parallel: _, ...options } = loadOptions(flags, context)
  await using segmenter = await loadSegmenter(flags.model, options)
  const { signal } = context
  const settings = await settingsFrom(flags)
  const opened = await openPicture(segmenter, source, { embedding: flags.embedding, settings, signal })
  if (flags.saveEmbedding !== undefined) {
    await writeEmbedding(flags.saveEmbedding, opened.encoded, segmenter.embeddingShape)
    context.note(`Wrote ${flags.saveEmbedding}.`)
  }
  const picture = argument === '-' ? 'standard input' : argument
  const asked = { segmenter, opened, picture, flags }
  await (flags.everything ? segmentEverything(asked, context) : segmentPrompts(asked, context))
}

interface Asked {
  readonly segmenter: Segmenter
  readonly opened: OpenedPicture
  /** Its name. */
  readonly picture: string
  readonly flags: SegmentFlags
}

/** What each object is asked by. */
async function promptsOf(
  { point: points = [], box: boxes = [], mask, each }: SegmentFlags,
  signal: AbortSignal,
): Promise<Answered['prompt'][]> {
  const { readMask } = await import('../../tasks/node/segment/segment-file.js')
  if (each) return [...points.map((one) => ({ points: [one] })), ...boxes.map((one) => ({ box: one }))]
  if (boxes.length > 1) return boxes.map((one) => ({ box: one }))
  return [
    {
      ...(points.length > 0 && { points }),
      ...(boxes[0] && { box: boxes[0] }),
      ...(mask !== undefined && { mask: await readMask(mask, signal) }),
    },
  ]
}

async function segmentPrompts({ opened, picture, flags }: Asked, context: CliContext): Promise<void> {
  const { writeColoured, writeCutout, writeMask } = await import('../../tasks/node/segment/segment-file.js')
  const { predictionsJson } = await import('../../tasks/segment/mask-json.js')
  const { withFiles } = await import('../segment-files.js')
  const { signal } = context
  const { encoded, pixels } = opened
  const prompts = await promptsOf(flags, signal)
  const answers: Answered[] = []
  for (const prompt of prompts) {
    const isOneClick = (prompt.points?.length ?? 0) === 1 && !prompt.box && !prompt.mask
    const masks = await encoded.predict(prompt, { multimask: flags.multimask === true || isOneClick, signal })
    answers.push({ prompt, masks: flags.multimask ? masks : masks.slice(0, 1) })
  }
  const best = answers.flatMap(({ masks: [first] }) => (first ? [first.mask] : []))
  const written: string[] = []
  const named = await withFiles(answers, { picture, flags })
  for (const { masks, files } of named) {
    for (const [at, path] of files.entries()) {
      const { mask } = masks[at] ?? {}
      if (mask) await writeMask(path, mask)
      written.push(path)
    }
  }
  if (flags.cutout !== undefined) {
    await writeCutout(flags.cutout, pixels, best)
    written.push(flags.cutout)
  }
  if (flags.overlay !== undefined) {
    await writeColoured(flags.overlay, best, { size: pixels, behind: pixels })
    written.push(flags.overlay)
  }
  if (flags.json) await context.out(JSON.stringify(predictionsJson(named, { picture, size: encoded.size })))
  else for (const line of maskLines(named)) await context.out(line)
  if (written.length > 0) context.note(`Wrote ${written.map(visible).join(', ')}.`)
}

function maskLines(answers: readonly NamedAnswer[]): string[] {
  return answers.flatMap(({ masks, files }, object) =>
    masks.map(({ area, predictedIou, stability }, at) => {
      const numbers = `predicted IoU ${predictedIou.toFixed(3)}, stability ${stability.toFixed(3)}, ${area} pixels`
      return `object ${object + 1}: ${numbers}${files[at] === undefined ? '' : `, ${files[at]}`}`
    }),
  )
}

async function segmentEverything({ opened, picture, flags }: Asked, context: CliContext): Promise<void> {
  const { writeColoured, writeCutout } = await import('../../tasks/node/segment/segment-file.js')
  const { everythingJson, masksOf } = await import('../../tasks/segment/mask-json.js')
  const { encoded, pixels } = opened
  const { pointsPerSide, minIou, minStability, cropLayers, minArea } = flags
  const progress = stageProgress(context, { looking: 'points' })
  const found = await encoded
    .everything({
      ...{ pointsPerSide, minIou, minStability, cropLayers, minArea, signal: context.signal },
      onProgress: ({ done, total }) => progress.show({ doing: 'looking', done, total }),
    })
    .finally(progress.stop)
  const masks = masksOf(found)
  // small ones on top: else what is part of something could not be seen
  const order = found.map((_, at) => at).sort((a, b) => (found[a]?.area ?? 0) - (found[b]?.area ?? 0))
  const painted = order.flatMap((at) => masks[at] ?? [])
  const written: string[] = []
  const { output, cutout, overlay } = flags
  if (output !== undefined) {
    await writeColoured(output, painted, { size: pixels })
    written.push(output)
  }
  if (overlay !== undefined) {
    await writeColoured(overlay, painted, { size: pixels, behind: pixels })
    written.push(overlay)
  }
  if (cutout !== undefined) {
    await writeCutout(cutout, pixels, masks)
    written.push(cutout)
  }
  if (flags.json) await context.out(JSON.stringify(everythingJson(found, { picture, size: encoded.size })))
  else await context.out(`${found.length} masks`)
  if (written.length > 0) context.note(`Wrote ${written.map(visible).join(', ')}.`)
}
