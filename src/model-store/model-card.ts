import { codeCell, codeSpan } from '../base/markdown.js'
import { visible } from '../base/visible-text.js'
import type { Architecture } from '../models/architecture.js'
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

/** More than these would hide the rest of a card. */
const shownPaths = 6

/** The last names of data, in a cell of a table: where it lies on one machine is nobody else's business. */
export function dataNames(paths: readonly string[]): string {
  const names = paths.map((path) => codeCell(path.split(/[/\\]/).filter(Boolean).at(-1) ?? ''))
  const others = names.length - shownPaths
  return names.slice(0, shownPaths).join(', ') + (others > 0 ? ` and ${others} more` : '')
}

/** The lines that the Hugging Face hub reads. */
export function frontMatter(
  architecture: Architecture,
  { source, sourceCard }: { source?: string; sourceCard?: string | undefined } = {},
): string {
  const licence = licenceOf(sourceCard)
  const task = architecture.facts.masks ? 'mask-generation' : 'image-classification'
  const isHubId = source !== undefined && /^[\w.-]+\/[\w.-]+$/.test(source)
  return [
    '---',
    'library_name: blvit',
    `pipeline_tag: ${task}`,
    ...(licence === undefined ? [] : [`license: ${licence}`]),
    ...(isHubId ? [`base_model: ${source}`] : []),
    'tags:',
    `- ${task}`,
    `- ${architecture.family}`,
    '---',
  ].join('\n')
}

/** The README.md of a converted model, in the form that the Hugging Face hub shows. */
export function conversionCard({ files, copied, fresh, dropped }: Conversion, facts: CardFacts): string {
  const { architecture } = files
  const sentences = [
    `Made from ${codeSpan(facts.source)} by \`blvit convert\`: ${copied.length} tensors are copied` +
      (fresh.length > 0 ? `, ${fresh.length} start anew (seed ${facts.seed})` : '') +
      (dropped.length > 0 ? `, ${dropped.length} of the source are left out` : '') +
      '.',
  ]
  if (fresh.length > 0) {
    const guesses = architecture.facts.masks
      ? 'it guesses'
      : 'below keep ratio 1 this model answers worse, or guesses'
    sentences.push(`The new parts are **not trained**: ${guesses}. Distil it from its source first.`)
  }
  if (licenceOf(facts.sourceCard) === undefined) {
    sentences.push("The source doesn't state a licence; ask its authors before you publish this.")
  }
  return `${frontMatter(architecture, facts)}

# ${visible(facts.title)}

${sentences.join('\n\n')}

${usage(architecture)}`
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

/** On the command line, and in a program. */
function exampleOf({ facts }: Architecture): { readonly command: string; readonly lines: readonly string[] } {
  if (facts.masks) {
    return {
      command: 'npx blvit segment photo.jpg --model <this folder or hub id> --point 210,140 -o mask.png',
      lines: [
        "import { loadSegmenter } from 'blvit'",
        '',
        "const sam = await loadSegmenter('<this folder or hub id>')",
        "const encoded = await sam.encode('photo.jpg')",
        'const [best] = await encoded.predict({ points: [{ x: 210, y: 140 }] })',
      ],
    }
  }
  return {
    command: 'npx blvit classify photo.jpg --model <this folder or hub id>',
    lines: [
      "import { load } from 'blvit'",
      '',
      "const model = await load('<this folder or hub id>')",
      "const { top } = await model.classify('photo.jpg')",
    ],
  }
}

/** How a model of any kind is used, and its configuration. */
export function usage(architecture: Architecture): string {
  const { command, lines } = exampleOf(architecture)
  return `## Use

\`\`\`
${command}
\`\`\`

\`\`\`ts
${lines.join('\n')}
\`\`\`

## Configuration

\`\`\`json
${JSON.stringify(architecture.json, null, 2)}
\`\`\`
`
}
