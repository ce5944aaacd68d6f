import type { PromptKind } from '../tasks/node/segment/evaluate/mask-outcome.js'
import type { MaskReport, PromptResult } from '../tasks/node/segment/evaluate/mask-report.js'
import { atSetting } from './model-options.js'
import { countedPictures, grouped, percent } from './quantities.js'
import { textTable } from './table.js'

const promptNames: Readonly<Record<PromptKind, string>> = { point: '1 point', points: '3 points', box: 'box' }

/** mIoU by prompt and size, then AP of boxes. */
export function maskReportText({
  setting,
  pictures,
  objects,
  sampler,
  results,
  averagePrecision,
}: MaskReport): string {
  const share = (mean: number | undefined) => (mean === undefined || Number.isNaN(mean) ? '–' : percent(mean))
  const columns = [
    { heading: 'prompt', align: 'left' as const },
    ...['mIoU', '95 % interval', 'best of its masks', 'small', 'medium', 'large'].map((heading) => ({
      heading,
    })),
  ]
  const row = ({ prompt, iou, oracle, small, medium, large }: PromptResult) => [
    promptNames[prompt],
    share(iou.mean),
    iou.of === 0 ? '' : `${(100 * iou.low).toFixed(1)} – ${percent(iou.high)}`,
    ...[oracle, small, medium, large].map(({ mean }) => share(mean)),
  ]
  const parts = [
    `${countedPictures(pictures)}, ${grouped(objects)} objects, ${sampler} clicks${atSetting(setting)}`,
    textTable(columns, results.map(row)),
  ]
  if (averagePrecision) {
    const { coco, lvis } = averagePrecision
    const of = (
      name: string,
      { ap, ap50, ap75, apSmall, apMedium, apLarge }: typeof coco | NonNullable<typeof lvis>,
    ) => [name, ...[ap, ap50, ap75, apSmall, apMedium, apLarge].map(share)]
    const headings = ['AP', 'AP50', 'AP75', 'small', 'medium', 'large'].map((heading) => ({ heading }))
    const rows = [of('COCO', coco), ...(lvis ? [of('LVIS', lvis)] : [])]
    parts.push(textTable([{ heading: 'true boxes, score 1', align: 'left' }, ...headings], rows))
  }
  return parts.join('\n\n')
}
