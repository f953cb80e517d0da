-- AlterTable
ALTER TABLE "RemovedRaw" ADD COLUMN     "reason" TEXT NOT NULL DEFAULT 'PRIVACY';

-- CreateTable
CREATE TABLE "StoredBytes" (
    "id" SERIAL NOT NULL,
    "bytes" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "StoredBytes_pkey" PRIMARY KEY ("id")
);

-- What is stored now. From here on the triggers keep account, whoever adds and removes dumps.
INSERT INTO "StoredBytes" ("bytes")
    SELECT coalesce(sum("size"), 0) FROM "Coredump" WHERE "id" NOT IN (SELECT "coredumpId" FROM "RemovedRaw");

CREATE FUNCTION "count_stored_bytes"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'Coredump' AND TG_OP = 'INSERT' THEN
        INSERT INTO public."StoredBytes" ("bytes") VALUES (NEW."size");
    ELSIF TG_TABLE_NAME = 'Coredump' THEN
        INSERT INTO public."StoredBytes" ("bytes") SELECT -OLD."size"
            WHERE NOT EXISTS (SELECT 1 FROM public."RemovedRaw" WHERE "coredumpId" = OLD."id");
        -- Before the deletion, which must go on.
        RETURN OLD;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO public."StoredBytes" ("bytes")
            SELECT -"size" FROM public."Coredump" WHERE "id" = NEW."coredumpId";
    ELSE
        -- Not where it goes with its dump, which is gone by then.
        INSERT INTO public."StoredBytes" ("bytes")
            SELECT "size" FROM public."Coredump" WHERE "id" = OLD."coredumpId";
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER "Coredump_stored" AFTER INSERT ON "Coredump"
    FOR EACH ROW EXECUTE FUNCTION "count_stored_bytes"();
CREATE TRIGGER "Coredump_deleted" BEFORE DELETE ON "Coredump"
    FOR EACH ROW EXECUTE FUNCTION "count_stored_bytes"();
CREATE TRIGGER "RemovedRaw_noted" AFTER INSERT ON "RemovedRaw"
    FOR EACH ROW EXECUTE FUNCTION "count_stored_bytes"();
CREATE TRIGGER "RemovedRaw_forgotten" AFTER DELETE ON "RemovedRaw"
    FOR EACH ROW EXECUTE FUNCTION "count_stored_bytes"();
