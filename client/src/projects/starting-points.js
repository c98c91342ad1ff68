// A few whole interfaces to start from. Each is an ordinary draft: everything in it can be changed.

import { schemasOf } from './schemas.js'

const elements = (list) => ({ interface: { kind: 'elements', elements: list }, ...schemasOf(list) })

export const STARTING_POINTS = [
  {
    id: 'images',
    name: 'Sort pictures',
    about: 'One picture, one choice. For classification and yes-or-no questions.',
    needs: 'a column with picture addresses',
    version: {
      summary: 'Look at a picture and choose what it shows.',
      instructions: 'Look at the whole picture, also at its edges. Choose **Yes** only if you are sure.',
      expected_minutes: 0.5,
      ...elements([
        { show: 'image', from: 'image', alt: 'The picture to judge' },
        {
          ask: 'choice', key: 'label', label: 'Is there a duck in the picture?', required: true,
          options: [
            { value: 'yes', label: 'Yes' }, { value: 'no', label: 'No' },
            { value: 'broken', label: 'The picture does not load' },
          ],
        },
        { ask: 'text', key: 'comment', label: 'Anything the requester should know', required: false, multiline: true, max_length: 1000 },
      ]),
    },
  },
  {
    id: 'text',
    name: 'Label text',
    about: 'A passage, one or several labels. For sentiment, topics and moderation.',
    needs: 'a column with the text',
    version: {
      summary: 'Read a short text and say what it expresses.',
      instructions: 'Read the text once. Judge what the **writer** expresses, not what you think about it.',
      expected_minutes: 0.5,
      ...elements([
        { show: 'text', from: 'text', label: 'The text' },
        {
          ask: 'choice', key: 'sentiment', label: 'What does the writer express?', required: true,
          options: [
            { value: 'positive', label: 'Something good' }, { value: 'neutral', label: 'Neither' },
            { value: 'negative', label: 'Something bad' },
          ],
        },
        {
          ask: 'choices', key: 'topics', label: 'What is it about?', required: false,
          options: [
            { value: 'product', label: 'The product' }, { value: 'delivery', label: 'Delivery' },
            { value: 'service', label: 'Service' },
          ],
        },
      ]),
    },
  },
  {
    id: 'transcription',
    name: 'Transcribe',
    about: 'A recording or a scan, typed out. With a doubt to tick when something is hard to make out.',
    needs: 'a column with recordings',
    version: {
      summary: 'Listen to a short recording and type what is said.',
      instructions: 'Type every word as it is said. Write `[?]` where you cannot make a word out.',
      expected_minutes: 4,
      ...elements([
        { show: 'audio', from: 'audio', label: 'The recording' },
        { ask: 'text', key: 'transcript', label: 'What is said', required: true, multiline: true, max_length: 20000 },
        {
          ask: 'choice', key: 'quality', label: 'How well could you make it out?', required: true,
          options: [
            { value: 'clear', label: 'Clearly' }, { value: 'partly', label: 'Some words are missing' },
            { value: 'not', label: 'Not at all' },
          ],
        },
      ]),
    },
  },
  {
    id: 'survey',
    name: 'Ask a survey',
    about: 'Questions without a file: one task that many people answer once.',
    needs: 'one row; set how many people may answer',
    version: {
      summary: 'Answer a few questions.',
      instructions: 'There are no wrong answers. You may leave out what you do not want to say.',
      expected_minutes: 3,
      assignments_per_task: 50,
      max_tasks_per_worker: 1,
      ...elements([
        { show: 'markdown', from: 'topic', label: '' },
        { ask: 'scale', key: 'satisfied', label: 'How satisfied are you?', required: true, min: 1, max: 5, min_label: 'not at all', max_label: 'very' },
        {
          ask: 'ranking', key: 'matters', label: 'What matters most to you?', required: false,
          options: [
            { value: 'pay', label: 'Pay' }, { value: 'time', label: 'Free choice of time' },
            { value: 'interest', label: 'Interesting work' },
          ],
        },
        { ask: 'number', key: 'hours', label: 'How many hours a week?', required: false, min: 0, max: 168 },
        { ask: 'text', key: 'more', label: 'Anything else?', required: false, multiline: true, max_length: 2000 },
      ]),
    },
  },
]

export const EMPTY = {
  id: 'empty',
  name: 'Start empty',
  about: 'Build the page from elements yourself.',
  needs: 'whatever you decide',
  version: elements([]),
}
