-- CreateTable
CREATE TABLE "Change" (
    "id" BIGSERIAL NOT NULL,
    "tx" BIGINT NOT NULL DEFAULT 0,
    "subject" TEXT NOT NULL,
    "subjectId" INTEGER NOT NULL,
    "deviceId" INTEGER,
    "kind" TEXT NOT NULL,
    "at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "Change_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ChangeFeed" (
    "id" INTEGER NOT NULL,
    "uuid" TEXT NOT NULL,
    "prunedId" BIGINT NOT NULL DEFAULT 0,
    "prunedTx" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "ChangeFeed_pkey" PRIMARY KEY ("id")
);

-- Finds what was written since a snapshot. An expression, because the models describe SQLite too, which needs no index.
CREATE INDEX "Change_tx" ON "Change" (("tx" + 0));

-- Each database has a feed of its own.
INSERT INTO "ChangeFeed" ("id", "uuid") VALUES (1, gen_random_uuid());

-- A statement that adds or deletes many rows calls each of these once.
CREATE FUNCTION "note_changes_of_Coredump"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public."Change" ("tx", "subject", "subjectId", "deviceId", "kind", "at")
        SELECT pg_current_xact_id()::text::bigint, 'Coredump', "id", "deviceId", TG_ARGV[0], clock_timestamp() AT TIME ZONE 'UTC'
        FROM changed;
    RETURN NULL;
END
$$;
CREATE FUNCTION "note_changes_of_CrashGroup"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public."Change" ("tx", "subject", "subjectId", "deviceId", "kind", "at")
        SELECT pg_current_xact_id()::text::bigint, 'CrashGroup', "id", NULL::integer, TG_ARGV[0], clock_timestamp() AT TIME ZONE 'UTC'
        FROM changed;
    RETURN NULL;
END
$$;
CREATE FUNCTION "note_changes_of_Device"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public."Change" ("tx", "subject", "subjectId", "deviceId", "kind", "at")
        SELECT pg_current_xact_id()::text::bigint, 'Device', "id", "id", TG_ARGV[0], clock_timestamp() AT TIME ZONE 'UTC'
        FROM changed;
    RETURN NULL;
END
$$;
CREATE FUNCTION "note_changes_of_Firmware"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public."Change" ("tx", "subject", "subjectId", "deviceId", "kind", "at")
        SELECT pg_current_xact_id()::text::bigint, 'Firmware', "id", NULL::integer, TG_ARGV[0], clock_timestamp() AT TIME ZONE 'UTC'
        FROM changed;
    RETURN NULL;
END
$$;
CREATE FUNCTION "note_changes_of_DeviceModel"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public."Change" ("tx", "subject", "subjectId", "deviceId", "kind", "at")
        SELECT pg_current_xact_id()::text::bigint, 'DeviceModel', "id", NULL::integer, TG_ARGV[0], clock_timestamp() AT TIME ZONE 'UTC'
        FROM changed;
    RETURN NULL;
END
$$;

-- An update is told by row, and only of columns that clients can see. Leases, attempts and times of use are not told,
-- and cost nothing: a statement that sets none of these columns calls no function. Argument: the column of the device.
CREATE FUNCTION "note_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public."Change" ("tx", "subject", "subjectId", "deviceId", "kind", "at") VALUES (
        pg_current_xact_id()::text::bigint, TG_TABLE_NAME, NEW."id", (to_jsonb(NEW)->>TG_ARGV[0])::integer,
        'CHANGED', clock_timestamp() AT TIME ZONE 'UTC');
    RETURN NULL;
END
$$;

CREATE TRIGGER "Coredump_change_arrived" AFTER INSERT ON "Coredump" REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_changes_of_Coredump"('ARRIVED');
CREATE TRIGGER "Coredump_change_changed" AFTER UPDATE OF
    "deviceId", "firmwareId", "filename", "chip", "firmwareVersion", "size", "sha256", "uploadedAt",
    "parseStatus", "parseGeneration", "parseErrorKind", "appElfSha256", "fingerprint", "parsedAt",
    "chosenFirmwareId", "kind", "crashKind", "crashedTask", "reason" ON "Coredump"
    FOR EACH ROW WHEN (
        OLD."deviceId" IS DISTINCT FROM NEW."deviceId" OR OLD."firmwareId" IS DISTINCT FROM NEW."firmwareId" OR
        OLD."filename" IS DISTINCT FROM NEW."filename" OR OLD."chip" IS DISTINCT FROM NEW."chip" OR
        OLD."firmwareVersion" IS DISTINCT FROM NEW."firmwareVersion" OR
        OLD."size" IS DISTINCT FROM NEW."size" OR OLD."sha256" IS DISTINCT FROM NEW."sha256" OR
        OLD."uploadedAt" IS DISTINCT FROM NEW."uploadedAt" OR
        OLD."parseStatus" IS DISTINCT FROM NEW."parseStatus" OR
        OLD."parseGeneration" IS DISTINCT FROM NEW."parseGeneration" OR
        OLD."parseErrorKind" IS DISTINCT FROM NEW."parseErrorKind" OR
        OLD."appElfSha256" IS DISTINCT FROM NEW."appElfSha256" OR
        OLD."fingerprint" IS DISTINCT FROM NEW."fingerprint" OR OLD."parsedAt" IS DISTINCT FROM NEW."parsedAt" OR
        OLD."chosenFirmwareId" IS DISTINCT FROM NEW."chosenFirmwareId" OR
        OLD."kind" IS DISTINCT FROM NEW."kind" OR
        OLD."crashKind" IS DISTINCT FROM NEW."crashKind" OR
        OLD."crashedTask" IS DISTINCT FROM NEW."crashedTask" OR
        OLD."reason" IS DISTINCT FROM NEW."reason")
    EXECUTE FUNCTION "note_change"('deviceId');
CREATE TRIGGER "Coredump_change_deleted" AFTER DELETE ON "Coredump" REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_changes_of_Coredump"('DELETED');
CREATE TRIGGER "CrashGroup_change_arrived" AFTER INSERT ON "CrashGroup" REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_changes_of_CrashGroup"('ARRIVED');
CREATE TRIGGER "CrashGroup_change_changed" AFTER UPDATE OF
    "title", "kind", "reasonClass", "reason", "culpritFunction", "culpritFile", "state", "resolvedAt",
    "resolvedInVersion", "regressedAt", "regressedInVersion", "assignee", "note", "count", "deviceCount",
    "firstSeenAt", "lastSeenAt", "heat",
    "movedToId" ON "CrashGroup"
    FOR EACH ROW WHEN (
        OLD."title" IS DISTINCT FROM NEW."title" OR OLD."kind" IS DISTINCT FROM NEW."kind" OR
        OLD."reasonClass" IS DISTINCT FROM NEW."reasonClass" OR OLD."reason" IS DISTINCT FROM NEW."reason" OR
        OLD."culpritFunction" IS DISTINCT FROM NEW."culpritFunction" OR
        OLD."culpritFile" IS DISTINCT FROM NEW."culpritFile" OR OLD."state" IS DISTINCT FROM NEW."state" OR
        OLD."resolvedAt" IS DISTINCT FROM NEW."resolvedAt" OR
        OLD."resolvedInVersion" IS DISTINCT FROM NEW."resolvedInVersion" OR
        OLD."regressedAt" IS DISTINCT FROM NEW."regressedAt" OR
        OLD."regressedInVersion" IS DISTINCT FROM NEW."regressedInVersion" OR
        OLD."assignee" IS DISTINCT FROM NEW."assignee" OR OLD."note" IS DISTINCT FROM NEW."note" OR
        OLD."count" IS DISTINCT FROM NEW."count" OR OLD."deviceCount" IS DISTINCT FROM NEW."deviceCount" OR
        OLD."firstSeenAt" IS DISTINCT FROM NEW."firstSeenAt" OR
        OLD."lastSeenAt" IS DISTINCT FROM NEW."lastSeenAt" OR OLD."heat" IS DISTINCT FROM NEW."heat" OR
        OLD."movedToId" IS DISTINCT FROM NEW."movedToId")
    EXECUTE FUNCTION "note_change"('');
CREATE TRIGGER "CrashGroup_change_deleted" AFTER DELETE ON "CrashGroup" REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_changes_of_CrashGroup"('DELETED');
CREATE TRIGGER "Device_change_arrived" AFTER INSERT ON "Device" REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_changes_of_Device"('ARRIVED');
CREATE TRIGGER "Device_change_changed" AFTER UPDATE OF
    "key", "name", "modelId", "tokenSha256", "previousTokenSha256", "previousTokenUntil" ON "Device"
    FOR EACH ROW WHEN (
        OLD."key" IS DISTINCT FROM NEW."key" OR OLD."name" IS DISTINCT FROM NEW."name" OR
        OLD."modelId" IS DISTINCT FROM NEW."modelId" OR OLD."tokenSha256" IS DISTINCT FROM NEW."tokenSha256" OR
        OLD."previousTokenSha256" IS DISTINCT FROM NEW."previousTokenSha256" OR
        OLD."previousTokenUntil" IS DISTINCT FROM NEW."previousTokenUntil")
    EXECUTE FUNCTION "note_change"('id');
CREATE TRIGGER "Device_change_deleted" AFTER DELETE ON "Device" REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_changes_of_Device"('DELETED');
CREATE TRIGGER "Firmware_change_arrived" AFTER INSERT ON "Firmware" REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_changes_of_Firmware"('ARRIVED');
CREATE TRIGGER "Firmware_change_changed" AFTER UPDATE OF
    "modelId", "version", "chip", "elfSha256", "size", "uploadedAt" ON "Firmware"
    FOR EACH ROW WHEN (
        OLD."modelId" IS DISTINCT FROM NEW."modelId" OR OLD."version" IS DISTINCT FROM NEW."version" OR
        OLD."chip" IS DISTINCT FROM NEW."chip" OR OLD."elfSha256" IS DISTINCT FROM NEW."elfSha256" OR
        OLD."size" IS DISTINCT FROM NEW."size" OR OLD."uploadedAt" IS DISTINCT FROM NEW."uploadedAt")
    EXECUTE FUNCTION "note_change"('');
CREATE TRIGGER "Firmware_change_deleted" AFTER DELETE ON "Firmware" REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_changes_of_Firmware"('DELETED');
CREATE TRIGGER "DeviceModel_change_arrived" AFTER INSERT ON "DeviceModel" REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_changes_of_DeviceModel"('ARRIVED');
CREATE TRIGGER "DeviceModel_change_changed" AFTER UPDATE OF
    "code", "name", "createdAt" ON "DeviceModel"
    FOR EACH ROW WHEN (
        OLD."code" IS DISTINCT FROM NEW."code" OR OLD."name" IS DISTINCT FROM NEW."name" OR
        OLD."createdAt" IS DISTINCT FROM NEW."createdAt")
    EXECUTE FUNCTION "note_change"('');
CREATE TRIGGER "DeviceModel_change_deleted" AFTER DELETE ON "DeviceModel" REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_changes_of_DeviceModel"('DELETED');

-- Rows that belong to one of these: its fields show them. A row that goes with its parent finds no parent any more.
CREATE FUNCTION "note_change_in_Coredump"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public."Change" ("tx", "subject", "subjectId", "deviceId", "kind", "at")
        SELECT pg_current_xact_id()::text::bigint, 'Coredump', p."id", p."deviceId", 'CHANGED', clock_timestamp() AT TIME ZONE 'UTC'
        FROM public."Coredump" p WHERE p."id" IN (SELECT c."coredumpId" FROM changed c);
    RETURN NULL;
END
$$;
CREATE FUNCTION "note_change_in_Firmware"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public."Change" ("tx", "subject", "subjectId", "deviceId", "kind", "at")
        SELECT pg_current_xact_id()::text::bigint, 'Firmware', p."id", NULL::integer, 'CHANGED', clock_timestamp() AT TIME ZONE 'UTC'
        FROM public."Firmware" p WHERE p."id" IN (SELECT c."firmwareId" FROM changed c);
    RETURN NULL;
END
$$;
CREATE FUNCTION "note_change_in_DeviceModel"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public."Change" ("tx", "subject", "subjectId", "deviceId", "kind", "at")
        SELECT pg_current_xact_id()::text::bigint, 'DeviceModel', p."id", NULL::integer, 'CHANGED', clock_timestamp() AT TIME ZONE 'UTC'
        FROM public."DeviceModel" p WHERE p."id" IN (SELECT c."modelId" FROM changed c);
    RETURN NULL;
END
$$;
CREATE TRIGGER "RemovedRaw_change_noted" AFTER INSERT ON "RemovedRaw" REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_change_in_Coredump"();
CREATE TRIGGER "RemovedRaw_change_altered" AFTER UPDATE ON "RemovedRaw" REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_change_in_Coredump"();
CREATE TRIGGER "RemovedRaw_change_forgotten" AFTER DELETE ON "RemovedRaw" REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_change_in_Coredump"();
CREATE TRIGGER "LostRaw_change_noted" AFTER INSERT ON "LostRaw" REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_change_in_Coredump"();
CREATE TRIGGER "LostRaw_change_altered" AFTER UPDATE ON "LostRaw" REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_change_in_Coredump"();
CREATE TRIGGER "LostRaw_change_forgotten" AFTER DELETE ON "LostRaw" REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_change_in_Coredump"();
CREATE TRIGGER "LostElf_change_noted" AFTER INSERT ON "LostElf" REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_change_in_Firmware"();
CREATE TRIGGER "LostElf_change_altered" AFTER UPDATE ON "LostElf" REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_change_in_Firmware"();
CREATE TRIGGER "LostElf_change_forgotten" AFTER DELETE ON "LostElf" REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_change_in_Firmware"();
CREATE TRIGGER "ModelPrivacy_change_noted" AFTER INSERT ON "ModelPrivacy" REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_change_in_DeviceModel"();
CREATE TRIGGER "ModelPrivacy_change_altered" AFTER UPDATE ON "ModelPrivacy" REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_change_in_DeviceModel"();
CREATE TRIGGER "ModelPrivacy_change_forgotten" AFTER DELETE ON "ModelPrivacy" REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION "note_change_in_DeviceModel"();
