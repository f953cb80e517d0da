import { useId } from 'react';
import { Link } from 'wouter';

export interface Model {
  code: string;
  name: string;
}

/** The model of a form, by its field `model`. */
export function ModelChoice({ models, modelCode }: { models: readonly Model[]; modelCode: string }) {
  const id = useId();
  return (
    <div className="labelled field">
      <label htmlFor={id}>Model</label>
      <select id={id} name="model" required defaultValue={modelCode || models[0]?.code}>
        {models.map(({ code, name }) => (
          <option key={code} value={code}>
            {name} ({code})
          </option>
        ))}
      </select>
    </div>
  );
}

/** In place of a form that needs one. */
export function WithoutModels() {
  return (
    <div className="dialog-body">
      <p>
        Devices and ingest keys belong to a model: <Link href="/firmware">create one</Link> first.
      </p>
    </div>
  );
}
