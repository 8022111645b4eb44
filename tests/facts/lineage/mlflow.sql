-- Four tables of a database that MLflow 3.17.2 wrote, with two runs.
CREATE TABLE "runs" (
    run_uuid VARCHAR(32) NOT NULL,
    name VARCHAR(250),
    source_type VARCHAR(20),
    source_name VARCHAR(500),
    entry_point_name VARCHAR(50),
    user_id VARCHAR(256),
    status VARCHAR(9),
    start_time BIGINT,
    end_time BIGINT,
    source_version VARCHAR(50),
    lifecycle_stage VARCHAR(20),
    artifact_uri VARCHAR(200),
    experiment_id INTEGER, deleted_time BIGINT,
    CONSTRAINT run_pk PRIMARY KEY (run_uuid),
    CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')),
    CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')),
    FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id),
    CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED'))
);
INSERT INTO runs VALUES ('c6f91a187d234ee3bce8dc4c3f9cd20e', 'worried-grouse-941', 'UNKNOWN', '', '', 'someone', 'FINISHED', 1795622755039, 1795622755353, '', 'active', 'mlruns/1/c6f91a187d234ee3bce8dc4c3f9cd20e/artifacts', 1, NULL);
INSERT INTO runs VALUES ('ef4de059b0084e128cb6a8ae0a366507', 'nebulous-slug-357', 'UNKNOWN', '', '', 'someone', 'FINISHED', 1795622755459, 1795622755516, '', 'active', 'mlruns/1/ef4de059b0084e128cb6a8ae0a366507/artifacts', 1, NULL);
CREATE TABLE "datasets" (
    dataset_uuid VARCHAR(36) NOT NULL,
    experiment_id INTEGER NOT NULL,
    name VARCHAR(500) NOT NULL,
    digest VARCHAR(36) NOT NULL,
    dataset_source_type VARCHAR(36) NOT NULL,
    dataset_source TEXT NOT NULL,
    dataset_schema TEXT,
    dataset_profile TEXT,
    CONSTRAINT dataset_pk PRIMARY KEY (experiment_id, name, digest),
    CONSTRAINT fk_datasets_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
INSERT INTO datasets VALUES ('6ca48109b2ae472ea9f613c6b3519b97', 1, 'german-credit', '67277c45', 'local', '{"uri": "data/training.csv"}', '{"mlflow_colspec": [{"type": "long", "name": "month", "required": true}, {"type": "long", "name": "credit_amount", "required": true}, {"type": "long", "name": "good", "required": true}]}', '{"num_rows": 3, "num_elements": 9}');
INSERT INTO datasets VALUES ('730caf2b33704f0a8d2792cf3e319025', 1, 'holdout', '10ef8321', 'local', '{"uri": "data/evaluation.csv"}', '{"mlflow_colspec": [{"type": "long", "name": "month", "required": true}, {"type": "long", "name": "credit_amount", "required": true}, {"type": "long", "name": "good", "required": true}]}', '{"num_rows": 1, "num_elements": 3}');
CREATE TABLE inputs (
    input_uuid VARCHAR(36) NOT NULL,
    source_type VARCHAR(36) NOT NULL,
    source_id VARCHAR(36) NOT NULL,
    destination_type VARCHAR(36) NOT NULL,
    destination_id VARCHAR(36) NOT NULL, step BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT inputs_pk PRIMARY KEY (source_type, source_id, destination_type, destination_id)
);
INSERT INTO inputs VALUES ('79da4cc95e754e929aa594a04d01cf67', 'DATASET', '6ca48109b2ae472ea9f613c6b3519b97', 'RUN', 'c6f91a187d234ee3bce8dc4c3f9cd20e', 0);
INSERT INTO inputs VALUES ('587658e8906a435d82323b2eb457175f', 'DATASET', '730caf2b33704f0a8d2792cf3e319025', 'RUN', 'c6f91a187d234ee3bce8dc4c3f9cd20e', 0);
CREATE TABLE input_tags (
    input_uuid VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    value VARCHAR(500) NOT NULL,
    CONSTRAINT input_tags_pk PRIMARY KEY (input_uuid, name)
);
INSERT INTO input_tags VALUES ('79da4cc95e754e929aa594a04d01cf67', 'mlflow.data.context', 'training');
INSERT INTO input_tags VALUES ('587658e8906a435d82323b2eb457175f', 'mlflow.data.context', 'evaluation');
