import { badInput } from '../../errors.js';
import type { Suggested, Suggestion as SuggestionRow } from '../../search/suggestions.js';
import { firstCost } from '../limits/field-costs.js';
import { builder } from './builder.js';
import { present } from './inputs.js';

const SuggestedField = builder.enumType('SuggestedField', {
  description: 'What a filter can be filled with. Values may be added.',
  values: {
    VERSION: { description: 'Versions that crashed.' },
    MODEL: { description: 'Codes of models; the label is the name.' },
    DEVICE: { description: 'Keys of devices; the label is the name or the serial.' },
    TASK: { description: 'Tasks that crashed.' },
    CHIP: { description: 'Chips of devices that crashed.' },
    REASON: { description: 'Reasons without their addresses: `LoadProhibited`.' },
    ASSIGNEE: { description: 'People to whom groups are assigned.' },
  } satisfies Record<Suggested, { description: string }>,
});

const Suggestion = builder.objectRef<SuggestionRow>('Suggestion').implement({
  description: 'A value for a filter.',
  fields: (t) => ({
    value: t.exposeString('value', { description: 'The value, as filters take it: `1.4.0`.' }),
    label: t.exposeString('label', {
      nullable: true,
      description: 'What people call it, where that is something else: the name of a device.',
    }),
  }),
});

const MOST_SUGGESTIONS = 50;
const LONGEST_TEXT = 100;

builder.queryField('suggestions', (t) =>
  t.field({
    type: [Suggestion],
    complexity: firstCost,
    description:
      'Values for a filter, those with the most crashes first. The work is bounded: of the fleet’s versions and tasks the ' +
      'first 500 are compared, of matching devices the newest 200.',
    args: {
      field: t.arg({ type: SuggestedField, required: true, description: 'Of what.' }),
      text: t.arg.string({
        description: `What was typed so far: its words occur in the value or its label. At most ${LONGEST_TEXT} characters.`,
      }),
      modelCode: t.arg.string({
        description: 'Only versions, devices and chips of the model with this code.',
      }),
      first: t.arg.int({
        required: true,
        defaultValue: 10,
        description: `How many: 1 to ${MOST_SUGGESTIONS}.`,
      }),
    },
    resolve: (_, { field, text, modelCode, first }, { services }) => {
      if (first < 1 || first > MOST_SUGGESTIONS)
        throw badInput(`first is 1 to ${MOST_SUGGESTIONS}.`, { field: 'first' });
      if (text != null && text.length > LONGEST_TEXT)
        throw badInput(`The text has at most ${LONGEST_TEXT} characters.`, { field: 'text' });
      return services.search.suggest({ of: field, take: first, ...present({ text, modelCode }) });
    },
  }),
);
