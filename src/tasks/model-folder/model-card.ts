import { basename } from 'node:path'
import type { Architecture } from '../../models/architecture.js'
import type { Conversion } from './convert.js'

/** Where a converted model comes from. */
export interface CardFacts {
  /** Title of the card. */
  readonly title: string
  /** What the source was called: a hub id, a shipped name, a folder. */
  readonly source: string
  /** The source's own README.md, if it had one. */
  readonly sourceCard: string | undefined
  readonly seed: number
}

/** The licence that a card's front matter states. */
export function licenceOf(card: string | undefined): string | undefined {
  return /^license:\s*(\S+)\s*$/m.exec(card ?? '')?.[1]
}

function frontMatter(
  architecture: Architecture,
  { source, sourceCard }: { source?: string; sourceCard?: string | undefined } = {},
): string {
  const licence = licenceOf(sourceCard)
  const isHubId = source !== undefined && /^[\w.-]+\/[\w.-]+$/.test(source)
  return [
    '---',
    'library_name: blvit',
    'pipeline_tag: image-classification',
    ...(licence === undefined ? [] : [`license: ${licence}`]),
    ...(isHubId ? [`base_model: ${source}`] : []),
    'tags:',
    '- image-classification',
    `- ${architecture.family}`,
    '---',
  ].join('\n')
}

/** The README.md of a converted model, in the form that the Hugging Face hub shows. */
export function conversionCard({ files, copied, fresh, dropped }: Conversion, facts: CardFacts): string {
  const { architecture } = files
  const sentences = [
    `Made from \`${facts.source}\` by \`blvit convert\`: ${copied.length} tensors are copied` +
      (fresh.length > 0 ? `, ${fresh.length} start anew (seed ${facts.seed})` : '') +
      (dropped.length > 0 ? `, ${dropped.length} of the source are left out` : '') +
      '.',
  ]
  if (fresh.length > 0) {
    sentences.push(
      'The new parts are **not trained**: below keep ratio 1 this model guesses. Distil it from its source first.',
    )
  }
  if (licenceOf(facts.sourceCard) === undefined) {
    sentences.push("The source doesn't state a licence; ask its authors before you publish this.")
  }
  return `${frontMatter(architecture, facts)}

# ${facts.title}

${sentences.join('\n\n')}

${usage(architecture)}`
}

/** How a model was distilled. */
export interface DistillationFacts extends CardFacts {
  readonly data: string
  /** Pictures that were seen, the same ones again counted again. */
  readonly images: number
  readonly batch: number
  readonly learningRate: number
  /** What the last step told, by name. */
  readonly results: Readonly<Record<string, number>>
}

/** The README.md of a model that `blvit distill` made. */
export function distillationCard(architecture: Architecture, facts: DistillationFacts): string {
  const { source, data, images, batch, learningRate, seed, results, sourceCard } = facts
  const losses = Object.entries(results).map(([name, value]) => `| ${name} | ${value.toPrecision(4)} |`)
  const licence =
    licenceOf(sourceCard) === undefined
      ? "The teacher doesn't state a licence; ask its authors before you publish this.\n\n"
      : ''
  return `${frontMatter(architecture, facts)}

# ${facts.title}

Distilled from \`${source}\` by \`blvit distill\`: the P-blocks are the teacher's, E-blocks and predictors have learned
to imitate it block by block. How often it is right has not been measured: \`blvit eval\` does.

| | |
|---|---|
| teacher | \`${source}\` |
| pictures | ${images} from ${basename(data)}, random-resized crops (0.08 to 1 of the area), mirrored at random |
| recipe | batch ${batch}, AdamW, weight decay 0.05, learning rate ${learningRate} with 5 % warm-up and cosine |
| seed | ${seed} |

What the last step told:

| | |
|---|---|
${losses.join('\n')}

${licence}${usage(architecture)}`
}

/** The README.md of a model that knows nothing yet. */
export function initialCard(
  architecture: Architecture,
  { configuration, seed }: { configuration: string; seed: number },
): string {
  return `${frontMatter(architecture)}

# An untrained ${configuration}

Random weights of seed ${seed}, written by \`blvit init\`. It guesses: train it first.

${usage(architecture)}`
}

function usage(architecture: Architecture): string {
  return `## Use

\`\`\`
npx blvit classify photo.jpg --model <this folder or hub id>
\`\`\`

\`\`\`ts
import { load } from 'blvit'

const model = await load('<this folder or hub id>')
const { top } = await model.classify('photo.jpg')
\`\`\`

## Configuration

\`\`\`json
${JSON.stringify(architecture.json, null, 2)}
\`\`\`
`
}
